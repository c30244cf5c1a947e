#include "base/thread_guard.h"

#ifdef Py_GIL_DISABLED

#include <pthread.h>

static PyMutex shared;

sp_guard *sp_guard_make(void)
{
    if (!sp_local_make())
        Py_FatalError("scope_profiler: no memory for a thread");
    return &sp_here.guard;
}

/* ---- Stopping ---------------------------------------------------------------------------- */

void sp_stop_threads(void)
{
    sp_guard *own = sp_guard_here();
    if (own->stops++ != 0)
        return;
    sp_guards_take_all_but(own);
    sp_guard_take();
}

void sp_resume_threads(void)
{
    sp_guard *own = sp_guard_here();
    if (--own->stops != 0)
        return;
    sp_guard_release();
    sp_guards_release_all_but(own);
}

/* ---- What is shared ---------------------------------------------------------------------- */

void sp_shared_take(void)
{
    if (sp_guard_here()->shared++ == 0)
        PyMutex_Lock(&shared);
}

void sp_shared_release(void)
{
    if (--sp_guard_here()->shared == 0)
        PyMutex_Unlock(&shared);
}

void sp_guards_give_back(sp_guards_held *held)
{
    sp_guard *own = sp_guard_here();
    *held = (sp_guards_held){own->depth, own->shared};
    if (own->depth != 0)
        SP_UNLOCK(&own->mutex);
    if (own->shared != 0)
        PyMutex_Unlock(&shared);
    own->depth = own->shared = 0;
}

void sp_guards_take_again(const sp_guards_held *held)
{
    sp_guard *own = sp_guard_here();
    if (held->shared != 0)
        PyMutex_Lock(&shared);
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
    sp_stop_threads();
}

static void after_fork(void)
{
    sp_resume_threads();
    sp_shared_release();
}

static void in_child(void)
{
    sp_guards_keep_only(sp_guard_here());
    shared = (PyMutex){0};
}

void sp_thread_guard_init(void)
{
    static bool done = false;
    if (!done)
        done = pthread_atfork(before_fork, after_fork, in_child) == 0;
}

#else

void sp_thread_guard_init(void) {}

#endif
