/* What is counted of lines besides hits and time, where it happens seldom or was asked for. Frames that are
 * plain have nothing of that kind, and those above a frame that is not are none.
 * line_types.h has the types. */
#ifndef SP_LINE_COLUMNS_H
#define SP_LINE_COLUMNS_H

#include "lines/line_types.h"

/* The frame waited at its line for so many ticks: for all its reasons, or those of this kind alone. */
void sp_line_wait(sp_line_frame *recorded, uint64_t ticks);
void sp_line_wait_watched(sp_line_frame *recorded, int line, uint64_t ticks);

/* What the thread has done for lines so far. */
SP_INLINE void sp_line_work_now(sp_line_work *work)
{
    work->hits = sp_here.line_hits;
    memcpy(work->frames, sp_here.line_frames, sizeof work->frames);
}
/* What was done since the frame was put on the stack is in the time of the line that runs below it. */
void sp_line_add_work(sp_line_frame *recorded);

/* Of a frame that is not plain. It was just put on the stack. */
void sp_line_detail_begin(sp_line_frame *recorded);
/* The line that ran, if any, is over: a hit that has ended, which took so long at last. */
void sp_line_detail_hit(sp_line_frame *recorded, uint64_t ticks);
/* The frame is suspended, or a plain one: its line has taken so long and goes on later. */
void sp_line_detail_pause(sp_line_frame *recorded, uint64_t ticks);
/* The frame leaves the stack at this time, 0 when it is not known. What it took, the line below has
 * spent in a callee. It may be plain. */
void sp_line_detail_callee(sp_line_frame *recorded, uint64_t now);
/* An exception is raised at this line, less the first, or arrives there. */
void sp_line_detail_raised(sp_line_frame *recorded, int line);
/* Make the details of so many lines; false when memory is out. */
bool sp_line_details_make(sp_line_columns *columns, int lines);

/* Forget what was counted. The cells are the caller's. */
void sp_line_columns_clear(sp_line_columns *columns, int lines);

#endif
