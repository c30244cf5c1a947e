/* Line mode: one recorder, fed by one of two back-ends (lines_monitoring.c, lines_trace.c).
 *
 * What is recorded is decided by activations, not by code: a decorated call records the lines of
 * its own frame, a `with` block those of the frame it stands in. A region may also *watch* code:
 * frames of it that begin or are resumed while the region is open in their thread are recorded too. The
 * recorder keeps a stack of recorded frames per thread; a line's time runs from its event to the
 * next event of the same frame, so it includes what the line calls, and it stops while a generator
 * is suspended. Each greenlet of a thread has a stack of its own (line_threads.h).
 *
 * A frame may be recorded for several regions at once (a block in a decorated function, a block
 * in a block). It has a short array of reasons, one for each, and each (thread, code, region) has a
 * table of cells: an event touches one cell for each region, nearly always exactly one. */
#ifndef SP_LINES_H
#define SP_LINES_H

#include "lines/line_threads.h"

/* All of this is shared between threads (thread_guard.h).
 *
 * A decorated call, around it. begin returns a mark for end; 0 when nothing is recorded. code: NULL
 * when it is not Python's, which counts for the code that the region watches. */
uint64_t sp_lines_call_begin(struct sp_region *region, PyCodeObject *code);
void sp_lines_call_end(uint64_t mark, uint64_t now);
/* The same for one step of a generator or coroutine, whose line goes on where it stopped: `suspended`
 * is zeroed before the first step and holds the frame between steps; NULL at the end of the last. */
uint64_t sp_lines_step_begin(struct sp_region *region, PyCodeObject *code, sp_line_frame *suspended);
void sp_lines_step_end(uint64_t mark, sp_line_frame *suspended, uint64_t now);
void sp_lines_suspended_free(sp_line_frame *suspended);
/* A `with` block of the running frame. Its lines are recorded only when the statement itself
 * enters: then it also leaves, in the same frame, whatever happens. */
void sp_lines_block_enter(struct sp_region *region, const void *frame);
void sp_lines_block_leave(struct sp_region *region, const void *frame);
/* A region dies: forget its lines. A run begins: its manager's lines start at nothing. */
void sp_lines_forget(struct sp_region *region);
void sp_lines_reset(sp_manager *manager);

#endif
