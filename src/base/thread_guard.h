/* What keeps threads apart where there is no GIL; with it, all of this is nothing.
 *
 * guard   Each thread has one, and holds it while it writes to its record: its open calls, its tree,
 *         its log. No other thread takes it, as a rule, so that costs one atomic exchange.
 * stop    Takes all guards: no thread records meanwhile. For whoever reads or changes what is not
 *         his own: a snapshot, the begin of a run, a new region, a fork.
 * shared  One thread at a time is in line mode's or call tracing's own tables, which hang together.
 *
 * They are taken in the order shared, stop or guard, SP_LOCK. Under a guard, a stop or an SP_LOCK no
 * Python runs and nothing waits for the interpreter, so that waiting for one is short; under
 * `shared` it may. All but SP_LOCK may be taken again by the thread that holds them. */
#ifndef SP_THREAD_GUARD_H
#define SP_THREAD_GUARD_H

#include "base/local.h"

#ifdef Py_GIL_DISABLED

/* A thread that has no memory for its guard cannot be kept apart: that ends the process. */
SP_NOINLINE sp_guard *sp_guard_make(void);
SP_INLINE sp_guard *sp_guard_here(void)
{
    return SP_LIKELY(sp_here.owner != NULL) ? &sp_here.guard : sp_guard_make();
}

SP_INLINE void sp_guard_take(void)
{
    sp_guard *guard = sp_guard_here();
    if (guard->depth++ == 0)
        SP_LOCK(&guard->mutex);
}

SP_INLINE void sp_guard_release(void)
{
    sp_guard *guard = &sp_here.guard;
    if (--guard->depth == 0)
        SP_UNLOCK(&guard->mutex);
}

void sp_stop_threads(void);
void sp_resume_threads(void);
void sp_shared_take(void);
void sp_shared_release(void);

/* Let go of all of it while Python runs, and take it again. */
typedef struct {
    uint32_t depth, shared;
} sp_guards_held;
void sp_guards_give_back(sp_guards_held *held);
void sp_guards_take_again(const sp_guards_held *held);

#else

SP_INLINE void sp_guard_take(void) {}
SP_INLINE void sp_guard_release(void) {}
SP_INLINE void sp_stop_threads(void) {}
SP_INLINE void sp_resume_threads(void) {}
SP_INLINE void sp_shared_take(void) {}
SP_INLINE void sp_shared_release(void) {}
typedef char sp_guards_held;
SP_INLINE void sp_guards_give_back(sp_guards_held *held) { (void)held; }
SP_INLINE void sp_guards_take_again(const sp_guards_held *held) { (void)held; }

#endif

/* Once, when the module is loaded. */
void sp_thread_guard_init(void);

#endif
