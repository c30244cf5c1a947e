#include "thread.h"

#include "lane.h"

SP_THREAD_LOCAL sp_thread_local sp_here;

enum { FIRST_SCOPES = 32 };

sp_thread *sp_thread_new(uint64_t serial, bool events)
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
    thread->serial = serial;
    thread->top = thread->scopes;
    thread->limit = thread->scopes + FIRST_SCOPES - 1;
    thread->top->node = &thread->tree.root;
    sp_log_init(&thread->log, serial, events);
    return thread;
}

void sp_thread_free(sp_thread *thread)
{
    sp_lane_abandon(thread);
    sp_tree_free(&thread->tree);
    sp_log_free(&thread->log);
    PyMem_RawFree(thread->scopes);
    PyMem_RawFree(thread);
}

/* Not the operating system's number and not an address: both are used again for new threads. */
uint64_t sp_thread_serial(void)
{
    static uint64_t last = 0;
    if (sp_here.serial == 0) {
#ifdef Py_GIL_DISABLED
        sp_here.serial = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
#else
        sp_here.serial = ++last;
#endif
        char here;
        size_t left = sp_stack_left();
        if (left != 0)
            sp_here.stack_floor = (uintptr_t)&here - left
                                  + (left / 4 < SP_STACK_RESERVE ? left / 4 : SP_STACK_RESERVE);
    }
    return sp_here.serial;
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
