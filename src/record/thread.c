#include "record/thread.h"

#include "base/heap.h"

enum { FIRST_CALLS = 32 };

bool sp_stack_init(sp_stack *stack, size_t room)
{
    sp_open_call *calls = sp_calloc(room, sizeof *calls);
    if (calls == NULL)
        return false;
    *stack = (sp_stack){calls, calls + room - 1, SP_NO_CONTEXT, calls, {.context = SP_NO_CONTEXT}};
    return true;
}

sp_thread *sp_thread_new(sp_owner *owner, sp_block_store *blocks, uint64_t shortest,
                         sp_bounds *bounds)
{
    sp_thread *thread = sp_calloc(1, sizeof *thread);
    if (thread == NULL)
        return NULL;
    if (!sp_stack_init(&thread->stack, FIRST_CALLS) || sp_tree_init(&thread->tree) < 0) {
        sp_free(thread->stack.calls);
        sp_free(thread);
        return NULL;
    }
    thread->owner = sp_owner_hold(owner);
    thread->stack.top->node = thread->base = &thread->tree.root;
    sp_log_init(&thread->log, blocks, shortest, bounds);
    return thread;
}

bool sp_stack_deepen(sp_stack *stack)
{
    size_t depth = (size_t)(stack->top - stack->calls);
    size_t room = 2 * (size_t)(stack->limit - stack->calls + 1);
    sp_open_call *calls = sp_realloc(stack->calls, room * sizeof *calls);
    if (calls == NULL)
        return false;
    stack->calls = calls;
    stack->top = calls + depth;
    stack->limit = calls + room - 1;
    return true;
}
