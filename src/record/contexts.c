#include "record/contexts.h"

#include "base/world.h"

enum { FIRST_SCOPES = 8 };

/* What a call is charged for the stacks that hang below it. */
typedef struct {
    uint64_t start;  /* the call: when it began */
    const void *key; /* and its key */
    uint32_t open;   /* stacks that hang below it now, */
    uint32_t calls;  /* and calls that were the first of one */
    uint64_t since;  /* when the first of these stacks began */
    uint64_t beside; /* when the call began that was open inside it then, in its own stack; 0: none */
    int64_t before;  /* its `children` then */
} cover;

typedef struct sp_contexts {
    sp_map parked;   /* context -> sp_stack with open calls. Owned. */
    sp_stack *spare; /* an empty one. Owned, or NULL. */
    cover *covers;   /* Owned. */
    uint32_t count, capacity;
    PyObject **left; /* contexts that stacks had, to be given back where Python may run. Owned. */
    uint32_t left_count, left_capacity;
} sp_contexts;

/* ---- Stacks ------------------------------------------------------------------------------ */

static sp_contexts *contexts_of(sp_thread *thread)
{
    if (thread->contexts == NULL)
        thread->contexts = PyMem_RawCalloc(1, sizeof *thread->contexts);
    return thread->contexts;
}

/* Whose a stack is, it holds: a new context at the address of a dead one would be taken for it. Those of
 * lanes are not held, as nothing is told by them. */
static void hold(sp_thread *thread, PyObject *context)
{
    thread->context = context;
    Py_XINCREF(context);
}

static void let_go(sp_thread *thread)
{
    sp_contexts *contexts = thread->contexts;
    PyObject *context = thread->context;
    thread->context = SP_NO_CONTEXT;
    if (context == NULL || context == SP_NO_CONTEXT)
        return;
    if (context == sp_current_context()) { /* which the interpreter holds */
        Py_DECREF(context);
        return;
    }
    if (contexts->left_count == contexts->left_capacity) {
        uint32_t capacity = contexts->left_capacity == 0 ? 4 : 2 * contexts->left_capacity;
        PyObject **left = PyMem_RawRealloc(contexts->left, capacity * sizeof *left);
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
    sp_guard_drop();
    for (uint32_t i = 0; i < count; i++) /* the record may go away with its run meanwhile */
        Py_DECREF(left[i]);
    PyMem_RawFree(left);
}

static void free_stack(sp_stack *stack)
{
    if (stack != NULL)
        PyMem_RawFree(stack->scopes);
    PyMem_RawFree(stack);
}

static sp_stack *take_spare(sp_contexts *contexts)
{
    sp_stack *stack = contexts->spare;
    contexts->spare = NULL;
    if (stack != NULL)
        return stack;
    stack = PyMem_RawCalloc(1, sizeof *stack);
    sp_scope *scopes = PyMem_RawCalloc(FIRST_SCOPES, sizeof *scopes);
    if (stack == NULL || scopes == NULL) {
        PyMem_RawFree(stack);
        PyMem_RawFree(scopes);
        return NULL;
    }
    *stack = (sp_stack){scopes, scopes + FIRST_SCOPES - 1, scopes, SP_NO_CONTEXT,
                        {.context = SP_NO_CONTEXT}};
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
    return thread->contexts != NULL && thread->contexts->parked.head != NULL;
}

static const sp_stack *parked_stack(const sp_thread *thread, PyObject *context)
{
    return thread->contexts == NULL ? NULL : sp_map_get(&thread->contexts->parked, context, NULL);
}

/* The open calls of a context, at hand or parked; without scopes when it has none. While another's are
 * looked at in their place, what is in a stack tells whose it is. */
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

static sp_stack stack_of(const sp_thread *thread, PyObject *context)
{
    seeking seek = {.context = context};
    if (context == thread->context)
        return (sp_stack){thread->top, thread->limit, thread->scopes, thread->context,
                          thread->around};
    const sp_stack *stack = parked_stack(thread, context);
    if (stack != NULL && stack->context == context)
        return *stack;
    if (context != SP_NO_CONTEXT && thread->contexts != NULL)
        sp_map_each(&thread->contexts->parked, is_of, &seek);
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

/* Nothing is open in the stack at hand: it is the context's from now on. */
static void begin_stack(sp_thread *thread, PyObject *context)
{
    const sp_stack *outer = stack_around(thread, context);
    let_go(thread);
    hold(thread, context);
    thread->around = outer == NULL
                         ? (sp_outer){.context = SP_NO_CONTEXT}
                         : (sp_outer){outer->context, outer->top->key, outer->top->start};
    thread->scopes->node = outer == NULL ? &thread->tree.root : outer->top->node;
}

/* Park the calls at hand, and take those of `own` in their place. */
static bool exchange(sp_thread *thread, PyObject *context, sp_stack *own)
{
    sp_contexts *contexts = thread->contexts;
    bool fresh = own == NULL;
    if (fresh && (own = take_spare(contexts)) == NULL)
        return false;
    if (thread->top == thread->scopes) {
        let_go(thread);
        sp_map_pop(&contexts->parked, context, NULL);
        sp_thread_exchange(thread, own);
        give_spare(contexts, own);
        return true;
    }
    if (sp_map_add(&contexts->parked, thread->context, NULL, own) < 0) {
        if (fresh)
            give_spare(contexts, own);
        return false;
    }
    if (!fresh)
        sp_map_pop(&contexts->parked, context, NULL);
    sp_thread_exchange(thread, own);
    return true;
}

/* Go back to what the context has open. */
static bool resume_stack(sp_thread *thread, PyObject *context, sp_stack *own)
{
    if (!exchange(thread, context, own))
        return false;
    thread->scopes[1].context_marks |= SP_FIRST;
    return true;
}

SP_NOINLINE bool sp_context_switch(sp_thread *thread, PyObject *context)
{
    if (thread->lane != NULL) { /* a task that is tracked has its own stack anyway */
        thread->context = context;
        return true;
    }
    bool open = thread->top != thread->scopes;
    if (contexts_of(thread) == NULL)
        return false;
    sp_stack *own = sp_map_get(&thread->contexts->parked, context, NULL);
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
    return thread->lane == NULL && context != thread->context
           && parked_stack(thread, context) != NULL && sp_context_switch(thread, context);
}

/* ---- Charging the call around ------------------------------------------------------------ */

static cover *cover_of(const sp_contexts *contexts, uint64_t start, const void *key)
{
    for (uint32_t i = 0; contexts != NULL && i < contexts->count; i++) {
        if (contexts->covers[i].start == start && contexts->covers[i].key == key)
            return &contexts->covers[i];
    }
    return NULL;
}

/* The call in its stack; NULL when it has ended. *beside: what is open right inside it, or NULL. */
static sp_scope *find_outer(const sp_stack *stack, const sp_outer *call, const sp_scope **beside)
{
    *beside = NULL;
    for (sp_scope *scope = stack->top; scope > stack->scopes; scope--) {
        if (scope->start == call->start && scope->key == call->key) {
            *beside = scope < stack->top ? scope + 1 : NULL;
            return scope;
        }
    }
    return NULL;
}

static cover *new_cover(sp_contexts *contexts)
{
    if (contexts->count == contexts->capacity) {
        uint32_t capacity = contexts->capacity == 0 ? 4 : 2 * contexts->capacity;
        cover *covers = PyMem_RawRealloc(contexts->covers, capacity * sizeof *covers);
        if (covers == NULL)
            return NULL;
        contexts->covers = covers;
        contexts->capacity = capacity;
    }
    return &contexts->covers[contexts->count++];
}

/* A stack hangs below the call, and has calls since then. */
static void hang(sp_thread *thread, const sp_outer *call, uint64_t since)
{
    const sp_scope *beside;
    sp_stack stack = stack_of(thread, call->context);
    sp_scope *around = find_outer(&stack, call, &beside);
    if (around == NULL)
        return;
    cover *charged = cover_of(thread->contexts, call->start, call->key);
    if (charged == NULL) {
        if ((charged = new_cover(thread->contexts)) == NULL)
            return; /* it is charged nothing */
        *charged = (cover){.start = call->start, .key = call->key, .since = since,
                           .beside = beside == NULL ? 0 : beside->start,
                           .before = around->children};
        around->context_marks |= SP_AROUND;
    }
    charged->open++;
}

/* Those that were entered from another one mostly end soon, and are to be let go then. */
bool sp_context_is_first(const sp_thread *thread)
{
    return thread->top == thread->scopes && thread->lane == NULL
           && (has_parked(thread)
               || (thread->context != NULL && sp_outer_context(thread->context) != NULL));
}

SP_NOINLINE void sp_context_begin(sp_thread *thread, sp_scope *scope)
{
    scope->context_marks |= SP_FIRST;
    if (thread->around.context != SP_NO_CONTEXT)
        hang(thread, &thread->around, scope->start);
}

/* The time since stacks hang below the call, but for that of what its own stack had open inside it
 * meanwhile, which is charged anyway. */
static int64_t covered(const cover *charged, const sp_scope *around, const sp_scope *beside,
                       uint64_t now)
{
    uint64_t open_beside = beside == NULL ? 0 : beside->start;
    if (charged->beside != 0 && charged->beside == open_beside)
        return 0;
    int64_t direct = around->children - charged->before;
    if (charged->beside != 0)
        direct -= (int64_t)(charged->since - charged->beside);
    if (open_beside != 0)
        direct += (int64_t)(now - open_beside);
    return (int64_t)(now - charged->since) - direct;
}

int64_t sp_context_covered(const sp_thread *thread, const sp_scope *around,
                           const sp_scope *beside, uint64_t now)
{
    const cover *charged = cover_of(thread->contexts, around->start, around->key);
    return charged == NULL ? 0 : covered(charged, around, beside, now);
}

/* Nothing hangs below the call any more, or it ends. */
static void charge(sp_contexts *contexts, cover *charged, sp_scope *around,
                   const sp_scope *beside, uint64_t now)
{
    around->children += covered(charged, around, beside, now);
    around->inside += charged->calls;
    around->context_marks &= (uint8_t)~SP_AROUND;
    *charged = contexts->covers[--contexts->count];
}

typedef struct {
    sp_thread *thread;
    const sp_scope *ended;
    uint64_t now;
} handing_on;

/* What hung below the call that has ended hangs below the one around it. */
static int hand_on(void *value, void *argument)
{
    sp_stack *stack = value;
    const handing_on *call = argument;
    sp_thread *thread = call->thread;
    if (stack->around.context == SP_NO_CONTEXT || stack->around.start != call->ended->start
        || stack->around.key != call->ended->key)
        return 0;
    stack->around = thread->top == thread->scopes
                        ? thread->around
                        : (sp_outer){thread->context, thread->top->key, thread->top->start};
    if (stack->around.context != SP_NO_CONTEXT)
        hang(thread, &stack->around, call->now);
    return 0;
}

static void end_around(sp_thread *thread, sp_scope *scope, uint64_t now)
{
    sp_contexts *contexts = thread->contexts;
    cover *charged = cover_of(contexts, scope->start, scope->key);
    if (charged != NULL)
        charge(contexts, charged, scope, NULL, now);
    sp_map_each(&contexts->parked, hand_on, &(handing_on){thread, scope, now});
}

static void end_first(sp_thread *thread, uint64_t now)
{
    const sp_scope *beside;
    if (thread->around.context == SP_NO_CONTEXT)
        return;
    cover *charged = cover_of(thread->contexts, thread->around.start, thread->around.key);
    sp_stack stack = stack_of(thread, thread->around.context);
    sp_scope *around = find_outer(&stack, &thread->around, &beside);
    if (charged == NULL || around == NULL)
        return;
    charged->calls++;
    if (--charged->open == 0)
        charge(thread->contexts, charged, around, beside, now);
}

SP_NOINLINE void sp_context_left(sp_thread *thread, sp_scope *scope, uint64_t now)
{
    if (scope->context_marks & SP_AROUND)
        end_around(thread, scope, now);
    if (!(scope->context_marks & SP_FIRST))
        return;
    if (thread->top != thread->scopes) { /* what it was around is the first one now */
        thread->scopes[1].context_marks |= SP_FIRST;
        return;
    }
    end_first(thread, now);
    let_go(thread); /* it may be entered from another context then: the next entry looks anew */
    thread->around.context = SP_NO_CONTEXT;
}

SP_NOINLINE bool sp_context_is_around(const sp_thread *thread, const struct sp_region *region)
{
    sp_outer call = thread->around;
    while (call.context != SP_NO_CONTEXT) {
        const sp_scope *beside;
        sp_stack stack = stack_of(thread, call.context);
        const sp_scope *scope = find_outer(&stack, &call, &beside);
        if (scope == NULL)
            return false;
        for (; scope > stack.scopes; scope--) {
            if (scope->region == region)
                return true;
        }
        call = stack.around;
    }
    return false;
}

/* ---- All contexts ------------------------------------------------------------------------ */

bool sp_thread_has_open(const sp_thread *thread)
{
    return thread->top != thread->scopes || has_parked(thread);
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
    if (stack->top == stack->scopes) {
        sp_map_pop(&contexts->parked, context, NULL);
        give_spare(contexts, stack);
    }
    return result;
}

int sp_contexts_each(sp_thread *thread, int (*visit)(sp_thread *thread, void *argument),
                     void *argument)
{
    visiting each = {thread, visit, argument};
    return thread->contexts == NULL ? 0
                                    : sp_map_each(&thread->contexts->parked, visit_stack, &each);
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
    PyObject *context = thread->lane == NULL ? thread->context : thread->home.context;
    if (context != SP_NO_CONTEXT)
        Py_VISIT(context);
    return sp_map_each(&contexts->parked, traverse_parked, &(traversing){visit, arg});
}

/* Another thread goes on with the record, in which nothing is open. */
void sp_contexts_take_over(sp_thread *thread)
{
    if (thread->contexts != NULL)
        let_go(thread);
}

void sp_contexts_free(sp_thread *thread)
{
    sp_contexts *contexts = thread->contexts;
    if (contexts == NULL)
        return;
    let_go(thread);
    sp_contexts_release(thread);
    sp_map_each(&contexts->parked, free_parked, NULL);
    sp_map_free(&contexts->parked);
    free_stack(contexts->spare);
    PyMem_RawFree(contexts->covers);
    PyMem_RawFree(contexts->left);
    PyMem_RawFree(contexts);
}
