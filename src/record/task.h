/* A task that is tracked: one of asyncio, or a greenlet. Several take turns on a thread. Each has a
 * stack of open calls of its own, so that its calls nest among themselves, and its waiting and its running
 * are known apart. Entering one puts its stack in place of the thread's; leaving puts that back. */
#ifndef SP_TASK_H
#define SP_TASK_H

#include "record/manager.h"
#include "record/thread.h"

typedef struct sp_task {
    PyObject_HEAD
    sp_manager *manager; /* Owned. */
    sp_stack stack;      /* its open calls, while it is not entered. Owned. */
    uint64_t run;        /* in which it has this number and these calls */
    uint32_t number;     /* in its run, from 1 */
    int64_t thread;      /* number of the thread it ran on last */
    uint64_t steps;      /* how often it was entered */
    uint64_t created, since, done; /* ticks; since it was entered or left; done is 0 until then */
    uint64_t running, waiting;
    PyObject *on_enter;    /* called when it is entered, as long as it returns False; or NULL. Owned. */
    struct sp_task *outer; /* in whose place it is, while it is entered, or NULL. Owned. */
    bool entered;
} sp_task;

void sp_task_enter(sp_task *task);
void sp_task_leave(sp_task *task, bool done);
/* The thread's record goes away: give what is entered its stack back. The tasks are the thread's
 * until they are released. */
void sp_task_abandon(sp_thread *thread);
/* Let go of a chain of tasks. */
void sp_task_release(sp_task *task);

#endif
