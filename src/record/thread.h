/* What one thread records for one run of one manager: its open calls, its tree, its log. Only
 * the thread itself writes here, so recording takes no lock. When a thread ends, another one that
 * begins goes on with its record, so that memory does not grow with the number of threads. */
#ifndef SP_THREAD_H
#define SP_THREAD_H

#include "base/clock.h"
#include "base/local.h"
#include "record/threadlog.h"
#include "record/tree.h"

/* The metadata of a call: a number, which means something in one run alone. */
typedef struct {
    uint64_t run;
    uint32_t number; /* 0 for none */
} sp_annotation;

#define SP_NO_ANNOTATION ((sp_annotation){0})

/* A call that is open. `key` tells which activation opened it: the address of the interpreter
 * frame that runs the `with`, or a number for a decorated call. So interleaved generators
 * and coroutines, which enter and leave in any order, each close their own. */
#define SP_BY_HAND NULL /* the key of what type(region).__enter__(region) enters, as an ExitStack does */

/* Its marks, see context_charges.h. */
enum {
    SP_FIRST = 1, /* mark of the first call of a stack beside which others are parked, */
    SP_AROUND = 2 /* and of a call below which others hang */
};

typedef struct {
    struct sp_region *region;
    const void *key;
    sp_node *node;
    uint64_t start;
    int64_t children; /* ticks that calls made inside took so far, */
    uint32_t inside;  /* and how many calls that were */
    uint32_t annotation; /* number of its metadata, in the run of the record; 0 for none */
    uint64_t waited;  /* ticks for which its task was left meanwhile */
    bool nested;      /* inside a call of the same node: a recursion */
    uint8_t context_marks;
    uint32_t
        memory; /* where its memory is measured from, in a run that does that; 0 for nowhere */
} sp_open_call;

/* A call that took longer than the limit of its region; see slow_calls.h. */
typedef struct {
    sp_node *node; /* NULL for none */
    uint64_t start, ticks;
    int64_t children; /* ticks of the calls made inside it, */
    uint32_t inside;  /* and how many these were */
    uint32_t task;    /* the number of the task that made it, or 0 */
    bool suspended;   /* others may have run between its steps */
} sp_slow_call;

/* No context, and not NULL either: that is what a thread is in that never used a context variable. */
#define SP_NO_CONTEXT ((PyObject *)(uintptr_t)1)

/* An open call in the stack of a context. */
typedef struct {
    PyObject *context; /* or SP_NO_CONTEXT for none. Borrowed. */
    const void *key;
    uint64_t start;
} sp_outer;

/* Open calls, one inside the other. First what every call needs. */
typedef struct {
    sp_open_call *top;   /* the innermost open call; calls[0] is the root, always there */
    sp_open_call *limit; /* the last call that fits */
    PyObject *context;   /* in which they were made, or SP_NO_CONTEXT. Owned. */
    sp_open_call *calls; /* Owned. */
    sp_outer around;     /* what they hang below */
} sp_stack;

/* Make one without calls, with room for so many less the root; double the room. False when memory is
 * out. */
SP_MUST_USE bool sp_stack_init(sp_stack *stack, size_t room);
SP_MUST_USE bool sp_stack_deepen(sp_stack *stack);

/* Its innermost call, for what hangs below that. */
SP_INLINE sp_outer sp_outer_of(const sp_stack *stack)
{
    return (sp_outer){stack->context, stack->top->key, stack->top->start};
}

SP_INLINE bool sp_stack_is_empty(const sp_stack *stack) { return stack->top == stack->calls; }

struct sp_task;

typedef struct sp_thread {
    sp_stack stack; /* the open calls at hand */
    sp_log log;
    struct sp_contexts *contexts; /* the open calls of other contexts, or NULL. Owned. */
    sp_stack home;        /* its own open calls, while a task's are in their place. Owned. */
    struct sp_task *task; /* whose calls these are, or NULL. Owned. */
    struct sp_task *abandoned; /* when the record goes away: what `task` was. Owned. */
    uint32_t task_number; /* the task's, or 0 */
    sp_owner *owner;      /* who records here. Counted. */
    int64_t number;       /* the owner's in the run, from 0 */
    struct sp_thread *spare; /* another whose owner is over, or NULL */
    struct sp_thread *older; /* the record of the run that was made before this one, or NULL */
    /* What calls with none around them are made below: the root, or where work was submitted. */
    sp_node *base;
    sp_slow_call slow; /* of this thread, which is to be told of */
    uint64_t lost; /* entries that found no memory */
    sp_node **merged; /* while a snapshot is taken: by id, the nodes of the tree of all threads. Owned. */
    sp_tree tree;
} sp_thread;

/* blocks: where its log lies, or NULL without one. */
/* blocks: of its log, or NULL for none; shortest: the ticks of the shortest call that goes there; bounds:
 * of all logs, or NULL. */
sp_thread *sp_thread_new(sp_owner *owner, sp_block_store *blocks, uint64_t shortest,
                         sp_bounds *bounds);
/* Something was done in calls of the node, so many times. */
SP_INLINE void sp_thread_note_cost(sp_thread *thread, sp_node *node, sp_cost cost, uint64_t times)
{
    sp_totals *totals = sp_node_own_totals(node);
    if (SP_LIKELY(totals != NULL))
        totals->costs[cost] += times;
    else
        thread->lost++;
}

/* Put other open calls in the place of those that the record has now, and these there. */
SP_INLINE void sp_thread_exchange(sp_thread *thread, sp_stack *stack)
{
    sp_stack before = thread->stack;
    thread->stack = *stack;
    *stack = before;
}

#endif
