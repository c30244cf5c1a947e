#include "record/thread.h"

enum { FIRST_CALLS = 32 };

sp_thread *sp_thread_new(sp_owner *owner, bool events)
{
    sp_thread *thread = PyMem_RawCalloc(1, sizeof *thread);
    if (thread == NULL)
        return NULL;
    thread->calls = PyMem_RawCalloc(FIRST_CALLS, sizeof *thread->calls);
    if (thread->calls == NULL || sp_tree_init(&thread->tree) < 0) {
        PyMem_RawFree(thread->calls);
        PyMem_RawFree(thread);
        return NULL;
    }
    thread->owner = sp_owner_hold(owner);
    thread->top = thread->calls;
    thread->limit = thread->calls + FIRST_CALLS - 1;
    thread->top->node = &thread->tree.root;
    thread->context = thread->around.context = SP_NO_CONTEXT;
    sp_log_init(&thread->log, owner->serial, events);
    return thread;
}

bool sp_thread_deepen(sp_thread *thread)
{
    size_t depth = (size_t)(thread->top - thread->calls);
    size_t capacity = 2 * (size_t)(thread->limit - thread->calls + 1);
    sp_open_call *calls = PyMem_RawRealloc(thread->calls, capacity * sizeof *calls);
    if (calls == NULL)
        return false;
    thread->calls = calls;
    thread->top = calls + depth;
    thread->limit = calls + capacity - 1;
    return true;
}
