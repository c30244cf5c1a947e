#include "record/thread.h"

enum { FIRST_SCOPES = 32 };

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
    thread->owner = sp_owner_hold(owner);
    thread->top = thread->scopes;
    thread->limit = thread->scopes + FIRST_SCOPES - 1;
    thread->top->node = &thread->tree.root;
    thread->context = thread->around.context = SP_NO_CONTEXT;
    sp_log_init(&thread->log, owner->serial, events);
    return thread;
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
