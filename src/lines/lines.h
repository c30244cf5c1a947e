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

#include "base/thread_guard.h"
#include "lines/line_backend.h"
#include "lines/line_threads.h"

/* All of this is shared between threads (thread_guard.h).
 *
 * A decorated call of the thread of this state, around it. begin returns a mark for end; 0 when nothing is recorded. code: NULL
 * when it is not Python's, which counts for the code that the region watches. */
uint64_t sp_lines_call_begin_slow(struct sp_region *region, PyCodeObject *code);
void sp_lines_call_end_slow(uint64_t mark, uint64_t now);
SP_INLINE uint64_t sp_lines_call_begin(const PyThreadState *state, struct sp_region *region,
                                       PyCodeObject *code);
SP_INLINE void sp_lines_call_end(uint64_t mark, uint64_t now);
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

/* ---- Decorated calls --------------------------------------------------------------------- */

/* The serial number of the call's frame, and whether its caller was traced. */
SP_INLINE uint64_t sp_lines_mark(const sp_line_frame *call)
{
    return call->serial * 2 | sp_line_trace_callee(true);
}

/* One as it was made before, in this thread; false for all others. */
SP_INLINE bool sp_lines_call_again(const PyThreadState *state, sp_region *region,
                                   const PyCodeObject *code, uint64_t *mark)
{
    sp_line_thread *here = sp_line_here;
    if (SP_UNLIKELY(here == NULL || code == NULL || here->bottom != sp_stack_bottom_of(state)
                    || region->watches != NULL || here->stack.top->frame == NULL
                    || sp_unrecorded_for(region->manager)))
        return false;
    sp_line_table *table = sp_line_table_recall(here, code, region);
    if (SP_UNLIKELY(table == NULL || !sp_line_has_room(here)))
        return false;
    sp_line_frame *call = sp_line_put(here, NULL, table->code);
    call->region = region;
    call->decorated = true;
    sp_line_add_first(call, table, SP_LINE_CALL);
    *mark = sp_lines_mark(call);
    return true;
}

SP_INLINE uint64_t sp_lines_call_begin(const PyThreadState *state, sp_region *region,
                                       PyCodeObject *code)
{
    uint64_t mark;
    sp_shared_take();
    bool again = sp_lines_call_again(state, region, code, &mark);
    sp_shared_release();
    return SP_LIKELY(again) ? mark : sp_lines_call_begin_slow(region, code);
}

/* The frame on top is the call's, whichever greenlet runs: no other has its number. */
SP_INLINE bool sp_lines_call_end_top(uint64_t mark, uint64_t now)
{
    sp_line_thread *here = sp_line_here;
    if (SP_UNLIKELY(here == NULL || here->stack.top->serial != mark / 2))
        return false;
    sp_line_stop(here->stack.top, now);
    sp_line_pop(here, now);
    sp_line_trace_callee(mark & 1);
    return true;
}

SP_INLINE void sp_lines_call_end(uint64_t mark, uint64_t now)
{
    sp_shared_take();
    bool ended = sp_lines_call_end_top(mark, now);
    sp_shared_release();
    if (SP_UNLIKELY(!ended))
        sp_lines_call_end_slow(mark, now);
}

#endif
