#include "record/open_call.h"

#include "base/with_statement.h"

sp_open_call *sp_open_call_find(const sp_thread *thread, const sp_region *region, const void *key)
{
    for (sp_open_call *open = thread->stack.top; open > thread->stack.calls; open--) {
        if (open->region == region && open->key == key)
            return open;
    }
    return NULL;
}

sp_open_call *sp_open_call_of(sp_manager *manager, const sp_region *region, const void *key)
{
    sp_thread *thread = sp_thread_find(manager);
    if (thread == NULL)
        return NULL;
    sp_open_call *open = sp_open_call_find(thread, region, key);
    return open == NULL && sp_context_return(thread) ? sp_open_call_find(thread, region, key)
        : open;
}

/* ---- Entering, whatever there is to do besides ------------------------------------------- */

/* Whether a call of the region is open around one that begins. Not every open call of a node is: others
 * are of tasks that wait, in stacks of their own. In a recursion it is near the top. */
static bool is_around(const sp_thread *thread, const sp_region *region)
{
    const sp_open_call *open = thread->stack.top;
    while (open > thread->stack.calls && open->region != region)
        open--;
    return open > thread->stack.calls || sp_context_is_around(thread, region);
}

static sp_node *node_of(sp_thread *thread, sp_region *region)
{
    sp_node *node = sp_open_call_known_node(thread, region, &region->last);
    if (node != NULL)
        return node;
    sp_node *parent = thread->stack.top->node;
    node = sp_tree_child(&thread->tree, parent, region);
#ifndef Py_GIL_DISABLED
    if (node != NULL)
        region->last = (sp_last_edge){parent, node};
#endif
    return node;
}

/* *first: the call is the first of a stack beside which others are parked. NULL when memory is out. */
static sp_open_call *push(sp_thread *thread, const sp_manager *manager, sp_region *region,
                          const void *key, sp_annotation annotation, bool *first)
{
    PyObject *context = sp_current_context();
    if (context != thread->stack.context) {
        if (!sp_context_switch(thread, context))
            return NULL;
        *first = sp_context_is_first(thread);
    }
    sp_node *node = node_of(thread, region);
    if (node == NULL
        || (thread->stack.top == thread->stack.limit && !sp_stack_deepen(&thread->stack)))
        return NULL;
    bool nested = *node->alike != 0 && is_around(thread, region);
    sp_open_call *open =
        sp_open_call_push(thread, manager, region, key, node, annotation, nested);
    if (*first)
        sp_context_begin(thread, open);
    return open;
}

static void push_noting(sp_thread *thread, const sp_manager *manager, sp_region *region,
                        const void *key, sp_annotation annotation, bool *first)
{
    bool measured = (region->extras & SP_MEMORY_TOO) != 0;
    if (region->extras & SP_LINES_TOO)
        sp_open_call_take_lines(thread);
    uint32_t mark = measured ? sp_memory_mark_begin() : 0;
    sp_open_call *open = push(thread, manager, region, key, annotation, first);
    if (open == NULL)
        thread->lost++;
    if (measured && open != NULL)
        open->memory = mark;
    else if (measured)
        sp_memory_mark_drop(mark);
}

SP_APART void sp_open_call_enter_slow(sp_manager *manager, sp_region *region, const void *key,
                                      sp_annotation annotation)
{
    bool first = false;
    sp_thread *thread = sp_thread_of(manager);
    if (thread != NULL)
        push_noting(thread, manager, region, key, annotation, &first);
    sp_guard_release();
    if (first)
        sp_contexts_release(thread);
}

/* ---- Counting alone ---------------------------------------------------------------------- */

void sp_open_call_count_only(sp_manager *manager, sp_region *region)
{
    sp_guard_take();
    sp_thread *thread = sp_thread_of(manager);
    sp_node *around = thread == NULL ? NULL : sp_context_innermost(thread);
    sp_node *node = around == NULL ? NULL : sp_tree_child(&thread->tree, around, region);
    sp_totals *totals = node == NULL ? NULL : sp_node_own_totals(node);
    if (totals != NULL) {
        totals->throttled++;
        sp_tree_note_past(&thread->tree, node, SP_PASSED);
        sp_thread_note_cost(thread, around, SP_THROTTLED, 1);
    } else if (thread != NULL) {
        thread->lost++;
    }
    sp_guard_release();
}

/* ---- Memory ------------------------------------------------------------------------------ */

SP_APART void sp_open_call_note_memory(sp_thread *thread)
{
    const sp_open_call *open = thread->stack.top;
    sp_memory_span span;
    if (!sp_memory_mark_end(open->memory, &span))
        return;
    if (open->nested) /* the call around it takes that too */
        span.counts = (sp_memory_counts){0};
    sp_totals *totals = sp_node_own_totals(open->node);
    if (totals == NULL || !sp_totals_add_memory(totals, &span))
        thread->lost++;
}

/* ---- Thinning ---------------------------------------------------------------------------- */

SP_APART uint32_t sp_open_call_thin(sp_thread *thread, const sp_node *node, uint32_t annotation)
{
    uint32_t every, keep;
    if (thread->log.shortest == UINT64_MAX || annotation == SP_THINNED_CALL)
        return annotation;
    sp_totals *first = sp_node_own_totals(sp_node_first_alike(node));
    if (first != NULL && first->thinning == NULL
        && sp_region_thinning(node->region, &every, &keep))
        first->thinning = sp_thinning_new(every, keep);
    if (first == NULL || first->thinning == NULL) /* all are kept */
        return annotation;
    thread->log.thinning = first->thinning;
    thread->log.annotation = annotation;
    return SP_THINNED_CALL;
}

/* ---- Finding ----------------------------------------------------------------------------- */

/* The newest open call of the region at all. */
static sp_open_call *find_any(const sp_thread *thread, const sp_region *region)
{
    for (sp_open_call *open = thread->stack.top; open > thread->stack.calls; open--) {
        if (open->region == region)
            return open;
    }
    return NULL;
}

SP_NOINLINE void sp_open_call_wait(sp_thread *thread, sp_node *node, uint64_t waited, bool nested,
                                   uint64_t ticks)
{
    sp_totals *totals = sp_node_own_totals(node);
    if (totals == NULL)
        thread->lost++;
    else if (!nested) /* or the call around it has waited too */
        totals->waiting += waited;
    if (ticks >= thread->log.shortest && thread->log.waits)
        sp_log_wait(&thread->log, waited);
}

/* An open call that ends below others (a generator left while another is still open) is moved to the
 * top. The time it shared with those above has to be charged once: they will charge their whole
 * time to what is then below them, so what they have used so far is taken from there now and
 * given to the one that ends. Exclusive times stay a partition of the thread's time. */
static void move_to_top(sp_thread *thread, sp_open_call *open, uint64_t now)
{
    if (open == thread->stack.top)
        return;
    sp_tree_note_past(&thread->tree, open->node, SP_OUTLIVED);
    /* The next call of its region was inside this one, and is so no longer. */
    sp_open_call *next = open + 1;
    while (next <= thread->stack.top && next->region != open->region)
        next++;
    if (next <= thread->stack.top)
        next->nested = open->nested;
    sp_open_call ending = *open;
    int64_t shared = (int64_t)(now - open[1].start);
    ending.children += shared;
    open[-1].children -= shared;
    memmove(open, open + 1, (size_t)(thread->stack.top - open) * sizeof *open);
    *thread->stack.top = ending;
    /* The caller pops the top and charges the ending open call to what lies below it then: charge
     * the true parent instead. */
    int64_t ticks = (int64_t)(now - ending.start);
    thread->stack.top[-1].children -= ticks;
    open[-1].children += ticks;
}

typedef struct {
    const sp_region *region;
    const void *key;
    uint64_t now;
    bool whole;
    sp_open_call *taken;
} taking;

static sp_open_call *take(sp_thread *thread, sp_open_call *open, uint64_t now, bool whole)
{
    move_to_top(thread, open, now);
    return sp_open_call_take(thread, now, whole);
}

static int take_here(sp_thread *thread, void *argument)
{
    taking *wanted = argument;
    sp_open_call *open = sp_open_call_find(thread, wanted->region, wanted->key);
    if (open == NULL)
        return 0;
    wanted->taken = take(thread, open, wanted->now, wanted->whole);
    return 1;
}

SP_NOINLINE sp_open_call *sp_open_call_take_below(sp_thread *thread, const sp_region *region,
                                                  const void *key, uint64_t now, bool whole)
{
    taking wanted = {region, key, now, whole, NULL};
    if (!take_here(thread, &wanted)
        && !(sp_context_return(thread) && take_here(thread, &wanted)))
        sp_contexts_each(thread, take_here, &wanted);
    return wanted.taken;
}

/* ---- Leaving what is not on top ---------------------------------------------------------- */

typedef struct {
    sp_region *region;
    const void *key;
    uint64_t now;
    bool failed;
    sp_cost way;
} leaving;

static bool leave(sp_thread *thread, const sp_open_call *taken, const leaving *call)
{
    if (taken != NULL)
        sp_open_call_record(thread, taken, call->now, call->failed, call->way);
    return taken != NULL;
}

static bool leave_own(sp_thread *thread, const leaving *call)
{
    return leave(thread,
                 sp_open_call_take_below(thread, call->region, call->key, call->now, true), call);
}

/* By hand, in another frame than it was entered in. */
static bool leave_any(sp_thread *thread, const leaving *call)
{
    sp_open_call *open = find_any(thread, call->region);
    return open != NULL && leave(thread, take(thread, open, call->now, true), call);
}

static bool leave_here(sp_manager *manager, const leaving *call, bool any)
{
    sp_guard_take();
    sp_thread *thread = sp_thread_find(manager);
    bool left = thread != NULL
                && (any ? leave_any(thread, call) : leave_own(thread, call));
    sp_guard_release();
    return left;
}

static int leave_there(void *value, void *argument)
{
    sp_thread *thread = value;
    if (leave_own(thread, argument))
        return 1;
    if (thread->task == NULL)
        return 0;
    sp_thread_exchange(thread, &thread->home); /* the task's calls are in the place of its own */
    bool left = leave_own(thread, argument);
    sp_thread_exchange(thread, &thread->home);
    return left;
}

/* The activation is a generator's that has moved to this thread with a block open. The call ends in
 * the thread where it began. */
static bool leave_elsewhere(sp_manager *manager, leaving *call)
{
    sp_stop_threads();
    SP_LOCK(&manager->lock);
    bool left = sp_map_each(&manager->threads, leave_there, call) != 0;
    manager->moved += left;
    SP_UNLOCK(&manager->lock);
    sp_resume_threads();
    return left;
}

SP_NOINLINE void sp_open_call_leave_slow(sp_manager *manager, sp_region *region, const void *key,
                                         uint64_t now, bool failed, sp_cost way)
{
    leaving call = {region, key, now, failed, way};
    bool of_block = way == SP_BLOCK;
    bool left = leave_here(manager, &call, false);
    if (!left && sp_unrecorded_for(manager))
        return; /* nor was it entered */
    if (!left && of_block && key != SP_BY_HAND)
        left = leave_elsewhere(manager, &call);
    if (!left && of_block && !sp_with_statement_leaves())
        left = leave_here(manager, &call, true);
    if (!left) /* it was entered before the run, or while that was paused */
        SP_ADD(&manager->unmatched, manager->recording);
}
