#include "thread.h"

#include "contexts.h"
#include "lane.h"

SP_THREAD_LOCAL sp_thread_local sp_here;

enum { FIRST_SCOPES = 32 };

/* ---- Owners ------------------------------------------------------------------------------ */

static sp_owner *hold(sp_owner *owner)
{
    SP_ADD(&owner->references, 1);
    return owner;
}

static void release(sp_owner *owner)
{
    if (SP_ADD(&owner->references, -1) == 0)
        PyMem_RawFree(owner);
}

/* Runs as the thread ends, without the GIL. */
static void owner_ends(void *argument)
{
    sp_owner *owner = argument;
    SP_STORE(&owner->over, true);
    release(owner);
}

static void find_stack_floor(void)
{
    char here;
    size_t left = sp_stack_left();
    if (left != 0)
        sp_here.stack_floor = (uintptr_t)&here - left
                              + (left / 4 < SP_STACK_RESERVE ? left / 4 : SP_STACK_RESERVE);
}

sp_owner *sp_owner_here(void)
{
    static uint64_t last_serial = 0; /* an address or the system's number would be used again */
    static sp_thread_end end;
    if (sp_here.owner != NULL)
        return sp_here.owner;
    sp_owner *owner = PyMem_RawMalloc(sizeof *owner);
    if (owner == NULL)
        return NULL;
    *owner = (sp_owner){.serial = SP_ADD(&last_serial, 1), .references = 1};
    find_stack_floor();
    sp_at_thread_end(&end, owner_ends, owner);
    return sp_here.owner = owner;
}

/* ---- Threads ----------------------------------------------------------------------------- */

sp_thread *sp_thread_new(sp_owner *owner, bool events)
{
    sp_thread *thread = PyMem_RawCalloc(1, sizeof *thread);
    if (thread == NULL)
        return NULL;
    thread->scopes = PyMem_RawCalloc(FIRST_SCOPES, sizeof *thread->scopes);
    if (thread->scopes == NULL || sp_tree_init(&thread->tree) < 0) {
        PyMem_RawFree(thread->scopes);
        PyMem_RawFree(thread);
        return NULL;
    }
    thread->owner = hold(owner);
    thread->top = thread->scopes;
    thread->limit = thread->scopes + FIRST_SCOPES - 1;
    thread->top->node = &thread->tree.root;
    thread->context = thread->around.context = SP_NO_CONTEXT;
    sp_log_init(&thread->log, owner->serial, events);
    return thread;
}

void sp_thread_free(sp_thread *thread)
{
    sp_lane_release(thread->abandoned);
    sp_tree_free(&thread->tree);
    sp_log_free(&thread->log);
    sp_contexts_free(thread);
    PyMem_RawFree(thread->scopes);
    release(thread->owner);
    PyMem_RawFree(thread);
}

bool sp_thread_is_free(const sp_thread *thread)
{
    return SP_LOAD(&thread->owner->over) && !sp_thread_has_open(thread) && thread->lane == NULL;
}

bool sp_thread_take_over(sp_thread *thread, sp_owner *owner, int64_t number)
{
    if (thread->log.on && !sp_log_thread(&thread->log, number))
        return false;
    release(thread->owner);
    thread->owner = hold(owner);
    thread->number = number;
    sp_contexts_take_over(thread);
    return true;
}

bool sp_thread_deepen(sp_thread *thread)
{
    size_t depth = (size_t)(thread->top - thread->scopes);
    size_t capacity = 2 * (size_t)(thread->limit - thread->scopes + 1);
    sp_scope *scopes = PyMem_RawRealloc(thread->scopes, capacity * sizeof *scopes);
    if (scopes == NULL)
        return false;
    thread->scopes = scopes;
    thread->top = scopes + depth;
    thread->limit = scopes + capacity - 1;
    return true;
}
