#include "record/context_charges.h"

#include "base/heap.h"

/* What a call is charged for the stacks that hang below it. */
typedef struct sp_charge {
    uint64_t start;  /* the call: when it began */
    const void *key; /* and its key */
    uint32_t open;   /* stacks that hang below it now, */
    uint32_t calls;  /* and calls that were the first of one */
    uint64_t since;  /* when the first of these stacks began */
    uint64_t beside; /* when the call began that was open inside it then, in its own stack; 0: none */
    int64_t before;  /* its `children` then */
} sp_charge;

static sp_charge *charge_of(const sp_contexts *contexts, uint64_t start, const void *key)
{
    for (uint32_t i = 0; contexts != NULL && i < contexts->charge_count; i++) {
        if (contexts->charges[i].start == start && contexts->charges[i].key == key)
            return &contexts->charges[i];
    }
    return NULL;
}

/* The call in its stack; NULL when it has ended. *beside: what is open right inside it, or NULL. */
static sp_open_call *find_outer(const sp_stack *stack, const sp_outer *call,
                                const sp_open_call **beside)
{
    *beside = NULL;
    for (sp_open_call *open = stack->top; open > stack->calls; open--) {
        if (open->start == call->start && open->key == call->key) {
            *beside = open < stack->top ? open + 1 : NULL;
            return open;
        }
    }
    return NULL;
}

static sp_charge *new_charge(sp_contexts *contexts)
{
    if (contexts->charge_count == contexts->charge_capacity) {
        uint32_t capacity = contexts->charge_capacity == 0 ? 4 : 2 * contexts->charge_capacity;
        sp_charge *charges = sp_realloc(contexts->charges, capacity * sizeof *charges);
        if (charges == NULL)
            return NULL;
        contexts->charges = charges;
        contexts->charge_capacity = capacity;
    }
    return &contexts->charges[contexts->charge_count++];
}

/* A stack hangs below the call, and has calls since then. */
static void hang(sp_thread *thread, const sp_outer *call, uint64_t since)
{
    const sp_open_call *beside;
    sp_stack stack = sp_context_stack(thread, call->context);
    sp_open_call *around = find_outer(&stack, call, &beside);
    if (around == NULL)
        return;
    sp_charge *charged = charge_of(thread->contexts, call->start, call->key);
    if (charged == NULL) {
        if ((charged = new_charge(thread->contexts)) == NULL)
            return; /* it is charged nothing */
        *charged = (sp_charge){.start = call->start, .key = call->key, .since = since,
                           .beside = beside == NULL ? 0 : beside->start,
                           .before = around->children};
        around->context_marks |= SP_AROUND;
    }
    charged->open++;
}

/* Those that were entered from another one mostly end soon, and are to be let go then. */
bool sp_context_is_first(const sp_thread *thread)
{
    return sp_stack_is_empty(&thread->stack) && thread->task == NULL
           && ((thread->contexts != NULL && thread->contexts->parked.count != 0)
               || (thread->stack.context != NULL
                   && sp_outer_context(thread->stack.context) != NULL));
}

SP_NOINLINE void sp_context_begin(sp_thread *thread, sp_open_call *open)
{
    open->context_marks |= SP_FIRST;
    if (thread->stack.around.context != SP_NO_CONTEXT)
        hang(thread, &thread->stack.around, open->start);
}

/* The time since stacks hang below the call, but for that of what its own stack had open inside it
 * meanwhile, which is charged anyway. */
static int64_t covered(const sp_charge *charged, const sp_open_call *around,
                       const sp_open_call *beside,
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

int64_t sp_context_covered(const sp_thread *thread, const sp_open_call *around,
                           const sp_open_call *beside, uint64_t now)
{
    const sp_charge *charged = charge_of(thread->contexts, around->start, around->key);
    return charged == NULL ? 0 : covered(charged, around, beside, now);
}

/* Nothing hangs below the call any more, or it ends. */
static void charge(sp_contexts *contexts, sp_charge *charged, sp_open_call *around,
                   const sp_open_call *beside, uint64_t now)
{
    around->children += covered(charged, around, beside, now);
    around->inside += charged->calls;
    around->context_marks &= (uint8_t)~SP_AROUND;
    *charged = contexts->charges[--contexts->charge_count];
}

typedef struct {
    sp_thread *thread;
    const sp_open_call *ended;
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
    stack->around = sp_stack_is_empty(&thread->stack)
                        ? thread->stack.around
                        : sp_outer_of(&thread->stack);
    if (stack->around.context != SP_NO_CONTEXT)
        hang(thread, &stack->around, call->now);
    return 0;
}

static void end_around(sp_thread *thread, sp_open_call *open, uint64_t now)
{
    sp_contexts *contexts = thread->contexts;
    sp_tree_note_past(&thread->tree, open->node, SP_OUTLIVED);
    sp_charge *charged = charge_of(contexts, open->start, open->key);
    if (charged != NULL)
        charge(contexts, charged, open, NULL, now);
    sp_slots_each(&contexts->parked, hand_on, &(handing_on){thread, open, now});
}

static void end_first(sp_thread *thread, uint64_t now)
{
    const sp_open_call *beside;
    if (thread->stack.around.context == SP_NO_CONTEXT)
        return;
    const sp_outer *outer = &thread->stack.around;
    sp_charge *charged = charge_of(thread->contexts, outer->start, outer->key);
    sp_stack stack = sp_context_stack(thread, outer->context);
    sp_open_call *around = find_outer(&stack, outer, &beside);
    if (charged == NULL || around == NULL)
        return;
    charged->calls++;
    if (--charged->open == 0)
        charge(thread->contexts, charged, around, beside, now);
}

SP_NOINLINE void sp_context_left(sp_thread *thread, sp_open_call *open, uint64_t now)
{
    if (open->context_marks & SP_AROUND)
        end_around(thread, open, now);
    if (!(open->context_marks & SP_FIRST))
        return;
    if (!sp_stack_is_empty(&thread->stack)) { /* what it was around is the first one now */
        thread->stack.calls[1].context_marks |= SP_FIRST;
        return;
    }
    end_first(thread, now);
    /* it may be entered from another context then: the next entry looks anew */
    sp_context_let_go(thread);
    thread->stack.around.context = SP_NO_CONTEXT;
}

SP_NOINLINE bool sp_context_is_around(const sp_thread *thread, const struct sp_region *region)
{
    sp_outer call = thread->stack.around;
    while (call.context != SP_NO_CONTEXT) {
        const sp_open_call *beside;
        sp_stack stack = sp_context_stack(thread, call.context);
        const sp_open_call *open = find_outer(&stack, &call, &beside);
        if (open == NULL)
            return false;
        for (; open > stack.calls; open--) {
            if (open->region == region)
                return true;
        }
        call = stack.around;
    }
    return false;
}
