/* What a call is charged for the calls of other contexts that hang below it.
 *
 * A stack that begins hangs below the newest open call of the context from which its own was entered,
 * which the interpreter keeps: below that of an event loop for a task, of the caller for Context.run().
 * That call is charged once for the time in which calls of any number of tasks are open below it. */
#ifndef SP_CONTEXT_CHARGES_H
#define SP_CONTEXT_CHARGES_H

#include "record/contexts.h"

/* Whether a call that begins now is to be marked as the first, */
bool sp_context_is_first(const sp_thread *thread);
/* and it has begun. */
void sp_context_begin(sp_thread *thread, sp_open_call *open);
/* A marked call is off its stack. */
void sp_context_left(sp_thread *thread, sp_open_call *open, uint64_t now);
/* What a call that is still open has been charged so far for what hangs below it; beside: what is open
 * right inside it in its own stack, or NULL. */
int64_t sp_context_covered(const sp_thread *thread, const sp_open_call *around,
                           const sp_open_call *beside, uint64_t now);
/* Whether a call of the region is open around all that the thread has at hand. */
bool sp_context_is_around(const sp_thread *thread, const struct sp_region *region);

#endif
