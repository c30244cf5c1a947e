/* Entering and leaving a region: the whole of the hot path, the same for `with`, for decorated
 * calls and for generators. The clock is read last on the way in and first on the way out, so
 * that our own work falls outside the span. */
#ifndef SP_OPEN_CALL_H
#define SP_OPEN_CALL_H

#include "base/thread_guard.h"
#include "record/context_charges.h"
#include "record/region.h"
#include "record/thread_records.h"

/* The newest open call of this region and activation; NULL when the thread has none. */
sp_open_call *sp_open_call_find(const sp_thread *thread, const sp_region *region, const void *key);
/* The open call of this thread in the manager's run; NULL when there is none. Under the guard. */
sp_open_call *sp_open_call_of(sp_manager *manager, const sp_region *region, const void *key);
/* Take it off the stack, where it is not on top, or in that of another context; NULL when the
 * thread has none. */
sp_open_call *sp_open_call_take_below(sp_thread *thread, const sp_region *region, const void *key,
                                      uint64_t now);
/* Leave what is not on top of this thread's stack. A block may have
 * been entered in another thread, or, by hand, in another frame. */
void sp_open_call_leave_slow(sp_manager *manager, sp_region *region, const void *key, uint64_t now,
                             bool failed, sp_cost way);

/* A call that ends now has waited so long; the next record is its. */
void sp_open_call_wait(sp_thread *thread, sp_node *node, uint64_t waited, bool nested);

/* Whether a call of the region is open around the one on top. */
bool sp_open_call_is_around(const sp_thread *thread, const sp_region *region);

/* In which task and with which metadata a call is made. */
SP_INLINE uint64_t sp_open_call_context(const sp_thread *thread, uint32_t annotation)
{
    return (uint64_t)thread->task_number << 32 | annotation;
}

/* The node of the region when it is entered now. It is nearly always entered at the same place, and
 * remembers that, which is 5 ns faster than the tree's cache, and 30 with a thousand regions. With the
 * GIL there is nothing to guard there. */
SP_INLINE sp_node *sp_open_call_node(sp_thread *thread, sp_region *region)
{
    sp_node *parent = thread->stack.top->node;
#ifdef Py_GIL_DISABLED
    return sp_tree_child(&thread->tree, parent, region);
#else
    if (SP_LIKELY(region->parent == parent))
        return region->node;
    sp_node *node = sp_tree_child(&thread->tree, parent, region);
    if (SP_LIKELY(node != NULL)) {
        region->parent = parent;
        region->node = node;
    }
    return node;
#endif
}

/* The number of the metadata in the manager's run; 0 when it is another run's. */
SP_INLINE uint32_t sp_annotation_in(const sp_manager *manager, sp_annotation annotation)
{
    return SP_LIKELY(annotation.number == 0 || annotation.run != manager->run) ? 0
                                                                             : annotation.number;
}

/* Put a call on the thread's stack; NULL when memory is out. *first: contexts are to be released. */
SP_INLINE sp_open_call *sp_open_call_push(sp_thread *thread, sp_manager *manager,
                                          sp_region *region, const void *key,
                                          sp_annotation annotation, bool *first)
{
    PyObject *context = sp_current_context();
    if (SP_UNLIKELY(context != thread->stack.context)) {
        if (!sp_context_switch(thread, context)) {
            thread->lost++;
            return NULL;
        }
        *first = sp_context_is_first(thread);
    }
    sp_node *node = sp_open_call_node(thread, region);
    if (SP_UNLIKELY(node == NULL
                    || (thread->stack.top == thread->stack.limit && !sp_stack_deepen(&thread->stack)))) {
        thread->lost++;
        return NULL;
    }
    sp_open_call *open = ++thread->stack.top;
    open->nested = SP_UNLIKELY(sp_node_begin(node)) && sp_open_call_is_around(thread, region);
    open->region = region;
    open->key = key;
    open->node = node;
    open->children = 0;
    open->inside = 0;
    open->annotation = sp_annotation_in(manager, annotation);
    open->waited = 0;
    open->context_marks = 0;
    open->start = sp_now();
    if (SP_UNLIKELY(*first))
        sp_context_begin(thread, open);
    return open;
}

/* The same where memory is measured; and what there is to note of it when the top call ends. */
void sp_open_call_push_measured(sp_thread *thread, sp_manager *manager, sp_region *region,
                                const void *key, sp_annotation annotation, bool *first);
void sp_open_call_note_memory(sp_thread *thread);

/* The lines that line mode has counted since it was asked last are the innermost open call's. */
SP_INLINE void sp_open_call_take_lines(sp_thread *thread)
{
    uint64_t hits = sp_here.line_hits - sp_here.lines_noted;
    if (hits == 0) /* or the thread has nothing of its own */
        return;
    thread->stack.top->node->costs[SP_LINE] += hits;
    sp_here.lines_noted = sp_here.line_hits;
}

SP_INLINE void sp_open_call_enter(sp_manager *manager, sp_region *region, const void *key,
                                  sp_annotation annotation)
{
    sp_guard_take();
    bool first = false;
    sp_thread *thread = sp_thread_of(manager);
    if (SP_LIKELY(thread != NULL)) {
        const uint8_t extras = region->extras;
        if (SP_UNLIKELY(extras != 0) && (extras & SP_LINES_TOO))
            sp_open_call_take_lines(thread);
        if (SP_UNLIKELY(extras & SP_MEMORY_TOO))
            sp_open_call_push_measured(thread, manager, region, key, annotation, &first);
        else
            sp_open_call_push(thread, manager, region, key, annotation, &first);
    }
    sp_guard_release();
    if (SP_UNLIKELY(first))
        sp_contexts_release(thread);
}

/* Take the top open call off the stack and charge its time to what is around it. It stays readable
 * until the next entry. */
SP_INLINE sp_open_call *sp_open_call_take(sp_thread *thread, uint64_t now)
{
    const uint8_t extras = thread->stack.top->region->extras;
    if (SP_UNLIKELY(extras != 0)) {
        if (extras & SP_LINES_TOO)
            sp_open_call_take_lines(thread);
        if (extras & SP_MEMORY_TOO)
            sp_open_call_note_memory(thread);
    }
    sp_open_call *open = thread->stack.top--;
    thread->stack.top->children += (int64_t)(now - open->start);
    thread->stack.top->inside++;
    if (SP_UNLIKELY(open->context_marks != 0))
        sp_context_left(thread, open, now);
    return open;
}

/* The open call of this region and activation, taken off this thread's stack; NULL when there is
 * none. */
SP_INLINE sp_open_call *sp_open_call_pop(sp_manager *manager, sp_region *region, const void *key,
                                         uint64_t now)
{
    sp_thread *thread = sp_thread_find(manager);
    if (SP_UNLIKELY(thread == NULL))
        return NULL;
    if (SP_UNLIKELY(thread->stack.top->key != key || thread->stack.top->region != region))
        return sp_open_call_take_below(thread, region, key, now);
    return sp_open_call_take(thread, now);
}

/* The call is over: its statistics and its record. */
SP_INLINE void sp_open_call_record(sp_thread *thread, const sp_open_call *open, uint64_t now,
                                   bool failed,
                                   sp_cost way)
{
    uint64_t ticks = now - open->start;
    sp_node_record(open->node, way, ticks, open->children, open->inside, open->nested,
                   failed);
    if (SP_UNLIKELY(open->waited != 0))
        sp_open_call_wait(thread, open->node, open->waited, open->nested);
    if (thread->log.on)
        sp_log_append(&thread->log, sp_open_call_context(thread, open->annotation), open->start,
                      ticks, open->node->id);
}

/* way: the one in which it was entered, a constant where it is called. */
SP_INLINE void sp_open_call_leave(sp_manager *manager, sp_region *region, const void *key,
                                  bool failed,
                                  sp_cost way)
{
    sp_guard_take();
    uint64_t now = sp_now();
    sp_thread *thread = sp_here.thread;
    if (SP_UNLIKELY(sp_here.run != manager->run || thread->stack.top->region != region
                    || thread->stack.top->key != key)) {
        sp_guard_release();
        sp_open_call_leave_slow(manager, region, key, now, failed, way);
        return;
    }
    sp_open_call_record(thread, sp_open_call_take(thread, now), now, failed, way);
    sp_guard_release();
}

/* Something else was done for the manager inside the innermost call of this thread. */
SP_INLINE void sp_open_call_did(sp_manager *manager, sp_cost what)
{
    sp_guard_take();
    if (SP_LIKELY(sp_here.run == manager->run))
        sp_here.thread->stack.top->node->costs[what]++;
    sp_guard_release();
}

#endif
