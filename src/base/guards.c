#include "base/guards.h"

#include "base/list.h"

#ifdef Py_GIL_DISABLED

static struct {
    sp_mutex lock; /* of the list; held while the threads are stopped */
    sp_guard *guards;
} all;

void sp_guards_add(sp_guard *guard)
{
    SP_LOCK(&all.lock);
    SP_LIST_ADD(all.guards, guard, next, link);
    SP_UNLOCK(&all.lock);
}

void sp_guards_remove(sp_guard *guard)
{
    SP_LOCK(&all.lock);
    SP_LIST_REMOVE(guard, next, link);
    SP_UNLOCK(&all.lock);
}

void sp_guards_take_all_but(const sp_guard *own)
{
    SP_LOCK(&all.lock);
    for (sp_guard *guard = all.guards; guard != NULL; guard = guard->next) {
        if (guard != own)
            SP_LOCK(&guard->mutex);
    }
}

void sp_guards_release_all_but(const sp_guard *own)
{
    for (sp_guard *guard = all.guards; guard != NULL; guard = guard->next) {
        if (guard != own)
            SP_UNLOCK(&guard->mutex);
    }
    SP_UNLOCK(&all.lock);
}

void sp_guards_keep_only(sp_guard *own)
{
    own->mutex = 0;
    own->depth = own->stops = own->shared = 0;
    all.lock = 0;
    all.guards = NULL;
    SP_LIST_ADD(all.guards, own, next, link);
}

#endif
