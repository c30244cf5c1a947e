/* The guards of all threads, where there is no GIL: what thread_guard.h takes one of, or all. */
#ifndef SP_GUARDS_H
#define SP_GUARDS_H

#include "base/platform.h"

#ifdef Py_GIL_DISABLED

typedef struct sp_guard {
    sp_mutex mutex;
    uint32_t depth;  /* how often its thread has taken it */
    uint32_t stops;  /* how often its thread has stopped the others */
    uint32_t shared; /* how often its thread has taken what is shared */
    struct sp_guard *next, **link; /* in the list of all */
} sp_guard;

/* Of a thread that begins, and that ends. */
void sp_guards_add(sp_guard *guard);
void sp_guards_remove(sp_guard *guard);

/* Take all but this one, and give them back; none is added or removed in between. */
void sp_guards_take_all_but(const sp_guard *own);
void sp_guards_release_all_but(const sp_guard *own);

/* In the child of a fork: there is no other thread. */
void sp_guards_keep_only(sp_guard *own);

#endif
#endif
