/* A lane: an asyncio task or a greenlet, several of which take turns on a thread. Each has a stack
 * of open calls of its own, so that its calls nest among themselves, and its waiting is told from
 * its running. Entering one puts its stack in place of the thread's; leaving puts that back. */
#ifndef SP_LANE_H
#define SP_LANE_H

#include "record/manager.h"
#include "record/thread.h"

typedef struct sp_lane {
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
    struct sp_lane *outer; /* in whose place it is, while it is entered, or NULL. Owned. */
    bool entered;
} sp_lane;

void sp_lane_enter(sp_lane *lane);
void sp_lane_leave(sp_lane *lane, bool done);
/* The thread's record goes away: give what is entered its stack back. The lanes are the thread's
 * until they are released. */
void sp_lane_abandon(sp_thread *thread);
/* Let go of a chain of lanes. */
void sp_lane_release(sp_lane *lane);

#endif
