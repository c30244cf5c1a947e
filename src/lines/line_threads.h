/* What a thread records. Its greenlets run on one piece of C stack, one at a time, in any order, and
 * each has frames and open regions of its own: a stack for each. The one that was used last lies in the
 * thread, where events find it; others are kept as long as there is anything on them. No event says
 * which greenlet runs: the Python stack that is in use does, whenever a frame begins, ends or is looked
 * for. Greenlets that record nothing cost nothing. */
#ifndef SP_LINE_THREADS_H
#define SP_LINE_THREADS_H

#include "lines/line_codes.h"
#include "lines/line_suspended.h"

/* All threads that ever recorded. */
extern sp_line_thread *sp_line_threads;

/* Call visit(thread, argument) for each stack of the thread, which is the one in use meanwhile. */
void sp_line_each_stack(sp_line_thread *thread, void (*visit)(sp_line_thread *, const void *),
                        const void *argument);

/* What this thread records, with the stack of the greenlet that runs; made when missing, NULL when
 * memory is out. */
sp_line_thread *sp_line_thread_switch(const void *bottom);
SP_INLINE sp_line_thread *sp_line_thread_here(void)
{
    sp_line_thread *here = sp_line_here;
    const void *bottom = sp_stack_bottom();
    return SP_LIKELY(here != NULL && here->bottom == bottom) ? here : sp_line_thread_switch(bottom);
}
/* Whether a region that watches code is open or switched on there. */
SP_INLINE bool sp_line_watches(const sp_line_thread *here)
{
    return here->stack.open_count != 0 || here->on_count != 0;
}
/* Whether this thread has, or may resume, a recorded frame, or a region open that watches code. */
SP_INLINE bool sp_lines_open(void)
{
    const sp_line_thread *here = sp_line_here;
    return sp_line_suspended_count != 0
           || (here != NULL && (here->stack.top != here->stack.frames || here->stack.open_count != 0
                                || here->other_count != 0));
}

/* Whether a region is switched on in this thread. */
SP_INLINE bool sp_line_on_here(void) { return sp_line_here != NULL && sp_line_here->on_count != 0; }

/* What this thread records, as above, where nothing is made; NULL also when nothing is recorded or open. */
SP_INLINE sp_line_thread *sp_line_thread_known(void)
{
    return sp_lines_open() || sp_line_always_watched != 0 || sp_line_on_here() ? sp_line_thread_here() : NULL;
}

#endif
