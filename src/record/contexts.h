/* Open calls by context, so that tasks are told apart without a switch.
 *
 * asyncio, trio and anyio run each task in a context of its own (contextvars, PEP 567), and so does
 * whoever calls Context.run(). A thread has one stack of open calls for each context that has any.
 * Those of the context that it recorded in last are in the thread itself; the others are parked here.
 * So the usual entry compares one pointer, and the calls of a task nest among themselves. */
#ifndef SP_CONTEXTS_H
#define SP_CONTEXTS_H

#include "base/slots.h"
#include "record/thread.h"

typedef struct sp_contexts {
    sp_slots parked; /* context -> sp_stack with open calls. Owned. */
    sp_stack *spare; /* an empty one. Owned, or NULL. */
    struct sp_charge *charges; /* of context_charges.c. Owned. */
    uint32_t charge_count, charge_capacity;
    PyObject **left; /* contexts that stacks had, to be given back where Python may run. Owned. */
    uint32_t left_count, left_capacity;
} sp_contexts;

/* The thread records in this context from now on; false when memory is out. */
SP_MUST_USE bool sp_context_switch(sp_thread *thread, PyObject *context);
/* Go back to the open calls of the current context, if they are parked. Returns whether they were. */
bool sp_context_return(sp_thread *thread);
/* The open calls of a context, at hand or parked; no stack when it has none. While
 * another's are looked at in their place, what is in a stack tells whose it is. */
sp_stack sp_context_stack(const sp_thread *thread, PyObject *context);
/* What a call of the current context would be made below: the path to it is that of this node. */
sp_node *sp_context_innermost(const sp_thread *thread);
/* The stack at hand, which is empty, is no context's any longer. */
void sp_context_let_go(sp_thread *thread);

/* Whether the thread has a call open in any context. */
bool sp_thread_has_open(const sp_thread *thread);
/* Call visit with each parked stack put in the thread, until it returns non-zero, which is
 * returned. */
int sp_contexts_each(sp_thread *thread, int (*visit)(sp_thread *thread, void *argument),
                     void *argument);
/* Give back contexts that are left: Python may run. Not under a guard. */
void sp_contexts_release(sp_thread *thread);
int sp_contexts_traverse(const sp_thread *thread, visitproc visit, void *arg);
/* The same, and where no thread is stopped. */
void sp_contexts_free(sp_thread *thread);
void sp_contexts_take_over(sp_thread *thread);

#endif
