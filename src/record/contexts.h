/* Open calls by context, so that tasks are told apart without a switch.
 *
 * asyncio, trio and anyio run each task in a context of its own (contextvars, PEP 567), and so does
 * whoever calls Context.run(). A thread has one stack of open calls for each context that has any.
 * Those of the context that it recorded in last are in the thread itself; the others are parked here.
 * So the usual entry compares one pointer, and the calls of a task nest among themselves.
 *
 * A stack that begins hangs below the newest open call of the context from which its own was entered,
 * which the interpreter keeps: below that of an event loop for a task, of the caller for Context.run().
 * That call is charged once for the time in which calls of any number of tasks are open below it. */
#ifndef SP_CONTEXTS_H
#define SP_CONTEXTS_H

#include "record/thread.h"

enum {
    SP_FIRST = 1, /* mark of the first call of a stack beside which others are parked, */
    SP_AROUND = 2 /* and of a call below which others hang */
};

/* The thread records in this context from now on; false when memory is out. */
SP_MUST_USE bool sp_context_switch(sp_thread *thread, PyObject *context);
/* Go back to the open calls of the current context, if they are parked. Returns whether they were. */
bool sp_context_return(sp_thread *thread);
/* Whether a call that begins now is to be marked as the first, */
bool sp_context_is_first(const sp_thread *thread);
/* and it has begun. */
void sp_context_begin(sp_thread *thread, sp_scope *scope);
/* A marked call is off its stack. */
void sp_context_left(sp_thread *thread, sp_scope *scope, uint64_t now);
/* What a call that is still open has been charged so far for what hangs below it; beside: what is open
 * right inside it in its own stack, or NULL. */
int64_t sp_context_covered(const sp_thread *thread, const sp_scope *around,
                           const sp_scope *beside, uint64_t now);
/* Whether a call of the region is open around all that the thread has at hand. */
bool sp_context_is_around(const sp_thread *thread, const struct sp_region *region);

/* Whether the thread has a call open in any context. */
bool sp_thread_has_open(const sp_thread *thread);
/* Call visit with each parked stack put in the thread, until it returns non-zero, which is returned. */
int sp_contexts_each(sp_thread *thread, int (*visit)(sp_thread *thread, void *argument),
                     void *argument);
/* Give back contexts that are left: Python may run. Not under a guard. */
void sp_contexts_release(sp_thread *thread);
int sp_contexts_traverse(const sp_thread *thread, visitproc visit, void *arg);
/* The same, and where no thread is stopped. */
void sp_contexts_free(sp_thread *thread);
void sp_contexts_take_over(sp_thread *thread);

#endif
