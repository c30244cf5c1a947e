#include "record/contexts.h"

#include "base/heap.h"
#include "base/thread_guard.h"

enum { FIRST_CALLS = 8 };

/* ---- Stacks ------------------------------------------------------------------------------ */

static sp_contexts *contexts_of(sp_thread *thread)
{
    if (thread->contexts == NULL)
        thread->contexts = sp_calloc(1, sizeof *thread->contexts);
    return thread->contexts;
}

/* A stack holds a reference to its context: a new one at the address of a dead one would be taken for
 * it. */
static void hold(sp_thread *thread, PyObject *context)
{
    thread->stack.context = context;
    Py_XINCREF(context);
}

void sp_context_let_go(sp_thread *thread)
{
    sp_contexts *contexts = thread->contexts;
    PyObject *context = thread->stack.context;
    thread->stack.context = SP_NO_CONTEXT;
    if (context == NULL || context == SP_NO_CONTEXT)
        return;
    if (context == sp_current_context()) { /* which the interpreter holds */
        Py_DECREF(context);
        return;
    }
    if (contexts->left_count == contexts->left_capacity) {
        uint32_t capacity = contexts->left_capacity == 0 ? 4 : 2 * contexts->left_capacity;
        PyObject **left = sp_realloc(contexts->left, capacity * sizeof *left);
        if (left == NULL)
            return; /* it lives on */
        contexts->left = left;
        contexts->left_capacity = capacity;
    }
    contexts->left[contexts->left_count++] = context;
}

SP_NOINLINE void sp_contexts_release(sp_thread *thread)
{
    sp_contexts *contexts = thread->contexts;
    if (contexts == NULL || contexts->left_count == 0)
        return;
    sp_guard_take();
    PyObject **left = contexts->left;
    uint32_t count = contexts->left_count;
    contexts->left = NULL;
    contexts->left_count = contexts->left_capacity = 0;
    sp_guard_release();
    for (uint32_t i = 0; i < count; i++) /* the record may go away with its run meanwhile */
        Py_DECREF(left[i]);
    sp_free(left);
}

static void free_stack(sp_stack *stack)
{
    if (stack != NULL)
        sp_free(stack->calls);
    sp_free(stack);
}

static sp_stack *take_spare(sp_contexts *contexts)
{
    sp_stack *stack = contexts->spare;
    contexts->spare = NULL;
    if (stack != NULL)
        return stack;
    stack = sp_malloc(sizeof *stack);
    if (stack != NULL && !sp_stack_init(stack, FIRST_CALLS)) {
        sp_free(stack);
        stack = NULL;
    }
    return stack;
}

/* The newest spare one stays: what was taken off it last is still to be read. */
static void give_spare(sp_contexts *contexts, sp_stack *stack)
{
    free_stack(contexts->spare);
    contexts->spare = stack;
}

static bool has_parked(const sp_thread *thread)
{
    return thread->contexts != NULL && thread->contexts->parked.count != 0;
}

static const sp_stack *parked_stack(const sp_thread *thread, PyObject *context)
{
    return thread->contexts == NULL ? NULL
                                    : sp_slots_get(&thread->contexts->parked, context, NULL);
}

typedef struct {
    PyObject *context;
    sp_stack found;
} seeking;

static int is_of(void *stack, void *wanted)
{
    seeking *seek = wanted;
    if (((sp_stack *)stack)->context != seek->context)
        return 0;
    seek->found = *(sp_stack *)stack;
    return 1;
}

sp_stack sp_context_stack(const sp_thread *thread, PyObject *context)
{
    seeking seek = {.context = context};
    if (context == thread->stack.context)
        return thread->stack;
    const sp_stack *stack = parked_stack(thread, context);
    if (stack != NULL && stack->context == context)
        return *stack;
    if (context != SP_NO_CONTEXT && thread->contexts != NULL)
        sp_slots_each(&thread->contexts->parked, is_of, &seek);
    return seek.found;
}

/* What calls of the context hang below: the stack with the innermost call of the contexts that it was
 * entered from. */
static const sp_stack *stack_around(const sp_thread *thread, PyObject *context)
{
    while (context != NULL) {
        context = sp_outer_context(context);
        const sp_stack *stack = parked_stack(thread, context);
        if (stack != NULL)
            return stack;
    }
    return NULL;
}

sp_node *sp_context_innermost(const sp_thread *thread)
{
    PyObject *context = sp_current_context();
    if (thread->task != NULL || context == thread->stack.context)
        return thread->stack.top->node;
    for (; context != NULL; context = sp_outer_context(context)) {
        sp_stack stack = sp_context_stack(thread, context);
        if (stack.top != NULL)
            return stack.top->node;
    }
    sp_stack stack = sp_context_stack(thread, NULL);
    return stack.top != NULL ? stack.top->node : thread->base;
}

/* Nothing is open in the stack at hand: it is the context's from now on. */
static void begin_stack(sp_thread *thread, PyObject *context)
{
    const sp_stack *outer = stack_around(thread, context);
    sp_context_let_go(thread);
    hold(thread, context);
    thread->stack.around = outer == NULL
                         ? (sp_outer){.context = SP_NO_CONTEXT}
                         : sp_outer_of(outer);
    thread->stack.calls->node = outer == NULL ? thread->base : outer->top->node;
}

/* Park the calls at hand, and take those of `own` in their place. */
static bool exchange(sp_thread *thread, PyObject *context, sp_stack *own)
{
    sp_contexts *contexts = thread->contexts;
    bool fresh = own == NULL;
    if (fresh && (own = take_spare(contexts)) == NULL)
        return false;
    if (sp_stack_is_empty(&thread->stack)) {
        sp_context_let_go(thread);
        sp_slots_pop(&contexts->parked, context, NULL);
        sp_thread_exchange(thread, own);
        give_spare(contexts, own);
        return true;
    }
    if (sp_slots_add(&contexts->parked, thread->stack.context, NULL, own) < 0) {
        if (fresh)
            give_spare(contexts, own);
        return false;
    }
    if (!fresh)
        sp_slots_pop(&contexts->parked, context, NULL);
    sp_thread_exchange(thread, own);
    return true;
}

/* Go back to what the context has open. */
static bool resume_stack(sp_thread *thread, PyObject *context, sp_stack *own)
{
    if (!exchange(thread, context, own))
        return false;
    thread->stack.calls[1].context_marks |= SP_FIRST;
    return true;
}

SP_NOINLINE bool sp_context_switch(sp_thread *thread, PyObject *context)
{
    if (thread->task != NULL) { /* a task that is tracked has its own stack anyway */
        thread->stack.context = context;
        return true;
    }
    bool open = !sp_stack_is_empty(&thread->stack);
    if (contexts_of(thread) == NULL)
        return false;
    sp_stack *own = sp_slots_get(&thread->contexts->parked, context, NULL);
    if (own != NULL)
        return resume_stack(thread, context, own);
    if (open && !exchange(thread, context, NULL))
        return false;
    begin_stack(thread, context);
    return true;
}

SP_NOINLINE bool sp_context_return(sp_thread *thread)
{
    PyObject *context = sp_current_context();
    return thread->task == NULL && context != thread->stack.context
           && parked_stack(thread, context) != NULL && sp_context_switch(thread, context);
}

/* ---- All contexts ------------------------------------------------------------------------ */

bool sp_thread_has_open(const sp_thread *thread)
{
    return !sp_stack_is_empty(&thread->stack) || has_parked(thread);
}

typedef struct {
    sp_thread *thread;
    int (*visit)(sp_thread *thread, void *argument);
    void *argument;
} visiting;

static int visit_stack(void *value, void *argument)
{
    sp_stack *stack = value;
    const visiting *each = argument;
    sp_contexts *contexts = each->thread->contexts;
    PyObject *context = stack->context;
    sp_thread_exchange(each->thread, stack);
    int result = each->visit(each->thread, each->argument);
    sp_thread_exchange(each->thread, stack);
    if (sp_stack_is_empty(stack)) {
        sp_slots_pop(&contexts->parked, context, NULL);
        give_spare(contexts, stack);
    }
    return result;
}

int sp_contexts_each(sp_thread *thread, int (*visit)(sp_thread *thread, void *argument),
                     void *argument)
{
    visiting each = {thread, visit, argument};
    return thread->contexts == NULL
               ? 0
               : sp_slots_each(&thread->contexts->parked, visit_stack, &each);
}

static int free_parked(void *stack, void *unused)
{
    (void)unused;
    Py_XDECREF(((sp_stack *)stack)->context);
    free_stack(stack);
    return 0;
}

typedef struct {
    visitproc visit;
    void *arg;
} traversing;

static int traverse_parked(void *stack, void *argument)
{
    visitproc visit = ((traversing *)argument)->visit;
    void *arg = ((traversing *)argument)->arg;
    Py_VISIT(((sp_stack *)stack)->context);
    return 0;
}

int sp_contexts_traverse(const sp_thread *thread, visitproc visit, void *arg)
{
    const sp_contexts *contexts = thread->contexts;
    if (contexts == NULL)
        return 0;
    for (uint32_t i = 0; i < contexts->left_count; i++)
        Py_VISIT(contexts->left[i]);
    PyObject *context = thread->task == NULL ? thread->stack.context : thread->home.context;
    if (context != SP_NO_CONTEXT)
        Py_VISIT(context);
    return sp_slots_each(&contexts->parked, traverse_parked, &(traversing){visit, arg});
}

/* Another thread goes on with the record, in which nothing is open. */
void sp_contexts_take_over(sp_thread *thread)
{
    if (thread->contexts != NULL)
        sp_context_let_go(thread);
}

void sp_contexts_free(sp_thread *thread)
{
    sp_contexts *contexts = thread->contexts;
    if (contexts == NULL)
        return;
    sp_context_let_go(thread);
    sp_contexts_release(thread);
    sp_slots_each(&contexts->parked, free_parked, NULL);
    sp_slots_free(&contexts->parked);
    free_stack(contexts->spare);
    sp_free(contexts->charges);
    sp_free(contexts->left);
    sp_free(contexts);
}
