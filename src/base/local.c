#include "base/local.h"

static const sp_local nobody;
SP_THREAD_LOCAL sp_local *sp_local_here = (sp_local *)&nobody;

/* ---- Owners ------------------------------------------------------------------------------ */

sp_owner *sp_owner_hold(sp_owner *owner)
{
    SP_ADD(&owner->references, 1);
    return owner;
}

void sp_owner_release(sp_owner *owner)
{
    if (SP_ADD(&owner->references, -1) == 0)
        PyMem_RawFree(owner);
}

static sp_owner *new_owner(void)
{
    static uint64_t last_serial = 0; /* an address or the system's number would be used again */
    sp_owner *owner = PyMem_RawMalloc(sizeof *owner);
    if (owner != NULL)
        *owner = (sp_owner){
            .serial = SP_ADD(&last_serial, 1), .references = 1, .native = sp_native_thread()};
    return owner;
}

/* ---- Life and death ---------------------------------------------------------------------- */

/* Runs as the thread ends, without the GIL. What runs later in it may begin anew. */
static void end(void *argument)
{
    sp_local *local = argument;
    sp_local_here = (sp_local *)&nobody;
#ifdef Py_GIL_DISABLED
    sp_guards_remove(&local->guard);
#endif
    SP_STORE(&local->owner->over, true);
    sp_owner_release(local->owner);
    PyMem_RawFree(local);
}

static uintptr_t find_stack_floor(void)
{
    char here;
    size_t left = sp_stack_left();
    size_t reserve = left / 4 < SP_STACK_RESERVE ? left / 4 : SP_STACK_RESERVE;
    return left == 0 ? 0 : (uintptr_t)&here - left + reserve;
}

SP_NOINLINE bool sp_local_make(void)
{
    static sp_thread_end at_end;
    sp_local *local = PyMem_RawCalloc(1, sizeof *local);
    if (local == NULL || (local->owner = new_owner()) == NULL) {
        PyMem_RawFree(local);
        return false;
    }
    local->stack_floor = find_stack_floor();
    local->last_key = 2;
    sp_local_here = local;
#ifdef Py_GIL_DISABLED
    sp_guards_add(&local->guard);
#endif
    sp_at_thread_end(&at_end, end, local);
    return true;
}
