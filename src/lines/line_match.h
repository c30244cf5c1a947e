/* The recorded frame that an event is of. */
#ifndef SP_LINE_MATCH_H
#define SP_LINE_MATCH_H

#include "lines/line_threads.h"

/* The recorded frame for an event of this frame at this time, or NULL. */
sp_line_frame *sp_line_match_slow(const void *frame, PyCodeObject *code, uint64_t now);
SP_INLINE sp_line_frame *sp_line_match(const void *frame, PyCodeObject *code, uint64_t now)
{
    sp_line_frame *top = sp_line_top(frame, code);
    return SP_LIKELY(top != NULL) ? top : sp_line_match_slow(frame, code, now);
}

/* Whether an exception of this type counts: those that end iterations and generators do not. */
bool sp_line_counts_exception(PyObject *type);
/* It is raised at this line of a frame that is not plain, or arrives there. */
void sp_line_raised(sp_line_frame *recorded, int line);
/* A line that began before goes on: the frame has slept, nobody knows where, and it is no new hit. */
void sp_line_continue(sp_line_frame *recorded, int line);

#endif
