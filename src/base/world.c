#include "base/world.h"

#ifdef Py_GIL_DISABLED

#include <pthread.h>

static struct {
    sp_mutex lock; /* of the list; held while the threads are stopped */
    sp_guard *guards;
    PyMutex shared;
} all;

/* ---- Guards ------------------------------------------------------------------------------ */

static void add_to_list(sp_guard *guard)
{
    guard->next = all.guards;
    guard->link = &all.guards;
    if (guard->next != NULL)
        guard->next->link = &guard->next;
    all.guards = guard;
}

void sp_guard_begin(sp_local *local)
{
    SP_LOCK(&all.lock);
    add_to_list(&local->guard);
    SP_UNLOCK(&all.lock);
}

void sp_guard_end(sp_local *local)
{
    sp_guard *guard = &local->guard;
    SP_LOCK(&all.lock);
    *guard->link = guard->next;
    if (guard->next != NULL)
        guard->next->link = guard->link;
    SP_UNLOCK(&all.lock);
}

sp_guard *sp_guard_make(void)
{
    if (!sp_local_make())
        Py_FatalError("scope_profiler: no memory for a thread");
    return &sp_here.guard;
}

/* ---- Stopping ---------------------------------------------------------------------------- */

void sp_stop(void)
{
    sp_guard *own = sp_guard_here();
    if (own->stops++ != 0)
        return;
    SP_LOCK(&all.lock);
    for (sp_guard *guard = all.guards; guard != NULL; guard = guard->next) {
        if (guard != own)
            SP_LOCK(&guard->mutex);
    }
    sp_guard_take();
}

void sp_go(void)
{
    sp_guard *own = sp_guard_here();
    if (--own->stops != 0)
        return;
    sp_guard_drop();
    for (sp_guard *guard = all.guards; guard != NULL; guard = guard->next) {
        if (guard != own)
            SP_UNLOCK(&guard->mutex);
    }
    SP_UNLOCK(&all.lock);
}

/* ---- What is shared ---------------------------------------------------------------------- */

void sp_shared_take(void)
{
    if (sp_guard_here()->shared++ == 0)
        PyMutex_Lock(&all.shared);
}

void sp_shared_drop(void)
{
    if (--sp_guard_here()->shared == 0)
        PyMutex_Unlock(&all.shared);
}

void sp_world_leave(sp_let_go *held)
{
    sp_guard *own = sp_guard_here();
    *held = (sp_let_go){own->depth, own->shared};
    if (own->depth != 0)
        SP_UNLOCK(&own->mutex);
    if (own->shared != 0)
        PyMutex_Unlock(&all.shared);
    own->depth = own->shared = 0;
}

void sp_world_return(const sp_let_go *held)
{
    sp_guard *own = sp_guard_here();
    if (held->shared != 0)
        PyMutex_Lock(&all.shared);
    if (held->depth != 0)
        SP_LOCK(&own->mutex);
    own->depth = held->depth;
    own->shared = held->shared;
}

/* ---- Forks -------------------------------------------------------------------------------
 *
 * The child has one thread, and must find everything whole that the others were writing to. So
 * nobody writes while it is made. */

static void before_fork(void)
{
    sp_shared_take();
    sp_stop();
}

static void after_fork(void)
{
    sp_go();
    sp_shared_drop();
}

static void in_child(void)
{
    sp_guard *own = sp_guard_here();
    own->mutex = 0;
    own->depth = own->stops = own->shared = 0;
    all.lock = 0;
    all.shared = (PyMutex){0};
    all.guards = NULL;
    add_to_list(own);
}

void sp_world_init(void)
{
    static bool done = false;
    if (!done)
        done = pthread_atfork(before_fork, after_fork, in_child) == 0;
}

#else

void sp_world_init(void) {}

#endif
