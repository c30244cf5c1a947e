/* Entering and leaving a region: the whole of the hot path, the same for `with`, for decorated
 * calls and for generators. The clock is read last on the way in and first on the way out, so
 * that our own work falls outside the span. */
#ifndef SP_OPEN_CALL_H
#define SP_OPEN_CALL_H

#include "base/thread_guard.h"
#include "record/context_charges.h"
#include "record/region.h"
#include "record/slow_calls.h"
#include "record/thread_records.h"

/* The newest open call of this region and activation; NULL when the thread has none. */
sp_open_call *sp_open_call_find(const sp_thread *thread, const sp_region *region, const void *key);
/* The open call of this thread in the manager's run; NULL when there is none. Under the guard. */
sp_open_call *sp_open_call_of(sp_manager *manager, const sp_region *region, const void *key);
/* Take it off the stack, where it is not on top, or in that of another context; NULL when the
 * thread has none. */
sp_open_call *sp_open_call_take_below(sp_thread *thread, const sp_region *region, const void *key,
                                      uint64_t now, bool whole);
/* Leave what is not on top of this thread's stack. A block may have
 * been entered in another thread, or, by hand, in another frame. */
void sp_open_call_leave_slow(sp_manager *manager, sp_region *region, const void *key, uint64_t now,
                             bool failed, sp_cost way);

/* A call that ends now, and took so many ticks, has waited so long; the next record is its, if it has one. */
void sp_open_call_wait(sp_thread *thread, sp_node *node, uint64_t waited, bool nested,
                       uint64_t ticks);

/* In which task and with which metadata a call is made. */
SP_INLINE uint64_t sp_open_call_context(const sp_thread *thread, uint32_t annotation)
{
    return (uint64_t)thread->task_number << 32 | annotation;
}

/* The number of the metadata in the manager's run; 0 when it is another run's. */
SP_INLINE uint32_t sp_annotation_in(const sp_manager *manager, sp_annotation annotation)
{
    return SP_LIKELY(annotation.number == 0 || annotation.run != manager->run) ? 0
                                                                             : annotation.number;
}

/* What there is to note of memory when the top call ends. */
void sp_open_call_note_memory(sp_thread *thread);

/* A call of a region whose calls are thinned is about to be written: what stands for its annotation. */
uint32_t sp_open_call_thin(sp_thread *thread, const sp_node *node, uint32_t annotation);

/* The lines that line mode has counted since it was asked last are the innermost open call's. */
SP_INLINE void sp_open_call_take_lines(sp_thread *thread)
{
    uint64_t hits = sp_here.line_hits - sp_here.lines_noted;
    if (hits == 0) /* or the thread has nothing of its own */
        return;
    sp_thread_note_cost(thread, thread->stack.top->node, SP_LINE, hits);
    sp_here.lines_noted = sp_here.line_hits;
}

/* The node of the region when it is entered at the one on top, where that was done before; or NULL. Usually it
 * was the last time, which is 5 ns faster than the tree's edges, and 30 with a thousand regions. */
SP_INLINE sp_node *sp_open_call_known_node(const sp_thread *thread, const sp_region *region,
                                           sp_last_edge *last)
{
    const sp_node *parent = thread->stack.top->node;
#ifdef Py_GIL_DISABLED
    (void)last;
    return sp_tree_known_child(&thread->tree, parent, region);
#else
    if (SP_LIKELY(last->parent == parent))
        return last->node;
    sp_node *node = sp_tree_known_child(&thread->tree, parent, region);
    if (node != NULL)
        *last = (sp_last_edge){parent, node};
    return node;
#endif
}

/* Put a call of the node on the thread's stack, which has room. */
SP_INLINE sp_open_call *sp_open_call_push(sp_thread *thread, const sp_manager *manager,
                                          sp_region *region, const void *key, sp_node *node,
                                          sp_annotation annotation, bool nested)
{
    sp_open_call *open = ++thread->stack.top;
    sp_node_begin(node);
    open->nested = nested;
    open->region = region;
    open->key = key;
    open->node = node;
    open->children = 0;
    open->inside = 0;
    open->annotation = sp_annotation_in(manager, annotation);
    open->waited = 0;
    open->context_marks = 0;
    open->start = sp_now();
    return open;
}

/* The same whatever there is to do besides. Under the guard, which it gives back. */
void sp_open_call_enter_slow(sp_manager *manager, sp_region *region, const void *key,
                             sp_annotation annotation);

/* slow: of the region's extras those that are not seen to here; lines: where lines are counted. Both constants. */
SP_INLINE void sp_open_call_enter_by(sp_manager *manager, sp_region *region, sp_last_edge *last,
                                     const void *key, sp_annotation annotation, uint8_t slow,
                                     bool lines)
{
    sp_guard_take();
    sp_thread *thread = sp_here.thread;
    sp_node *node;
    if (SP_UNLIKELY(sp_here.run != manager->run || (slow != 0 && (region->extras & slow) != 0)
                    || sp_current_context() != thread->stack.context
                    || (node = sp_open_call_known_node(thread, region, last)) == NULL
                    || (*node->alike != 0 && thread->stack.top->region != region)
                    || thread->stack.top == thread->stack.limit)) {
        sp_open_call_enter_slow(manager, region, key, annotation);
        return;
    }
    if (lines)
        sp_open_call_take_lines(thread);
    sp_open_call_push(thread, manager, region, key, node, annotation, *node->alike != 0);
    sp_guard_release();
}

SP_INLINE void sp_open_call_enter(sp_manager *manager, sp_region *region, const void *key,
                                  sp_annotation annotation)
{
    sp_open_call_enter_by(manager, region, &region->last, key, annotation,
                          SP_LINES_TOO | SP_MEMORY_TOO, false);
}

/* The top call took longer than the limit of its region. */
SP_INLINE void sp_open_call_note_slow(sp_thread *thread, uint64_t now)
{
    const sp_open_call *open = thread->stack.top;
    sp_slow_call_note(thread, (sp_slow_call){.node = open->node,
                                             .start = open->start,
                                             .ticks = now - open->start,
                                             .children = open->children,
                                             .inside = open->inside});
}

/* Take the top open call off the stack and charge its time to what is around it. It stays readable
 * until the next entry. whole: it is a call, not a step of one; a constant where that is known. */
SP_INLINE sp_open_call *sp_open_call_take(sp_thread *thread, uint64_t now, bool whole)
{
    const uint8_t extras = thread->stack.top->region->extras;
    if (SP_UNLIKELY(extras != 0)) {
        if (extras & SP_LINES_TOO)
            sp_open_call_take_lines(thread);
        if (extras & SP_MEMORY_TOO)
            sp_open_call_note_memory(thread);
        if (extras & SP_THINNED)
            thread->stack.top->annotation =
                sp_open_call_thin(thread, thread->stack.top->node, thread->stack.top->annotation);
        if ((extras & SP_LIMITED) && whole
            && now - thread->stack.top->start >= thread->stack.top->region->limit)
            sp_open_call_note_slow(thread, now);
    }
    sp_open_call *open = thread->stack.top--;
    thread->stack.top->children += (int64_t)(now - open->start);
    thread->stack.top->inside++;
    if (SP_UNLIKELY(open->context_marks != 0))
        sp_context_left(thread, open, now);
    return open;
}

/* The open call of this region and activation, which is a step of a call, taken off this thread's stack;
 * NULL when there is none. */
SP_INLINE sp_open_call *sp_open_call_pop(sp_manager *manager, sp_region *region, const void *key,
                                         uint64_t now)
{
    sp_thread *thread = sp_thread_find(manager);
    if (SP_UNLIKELY(thread == NULL))
        return NULL;
    if (SP_UNLIKELY(thread->stack.top->key != key || thread->stack.top->region != region))
        return sp_open_call_take_below(thread, region, key, now, false);
    return sp_open_call_take(thread, now, false);
}

/* The call is over: its statistics and its record. */
SP_INLINE void sp_open_call_record(sp_thread *thread, const sp_open_call *open, uint64_t now,
                                   bool failed,
                                   sp_cost way)
{
    uint64_t ticks = now - open->start;
    if (SP_UNLIKELY(!sp_node_record(open->node, way, ticks, open->children, open->inside,
                                    open->nested, failed)))
        thread->lost++;
    if (SP_UNLIKELY(open->waited != 0))
        sp_open_call_wait(thread, open->node, open->waited, open->nested, ticks);
    if (SP_LIKELY(ticks >= thread->log.shortest))
        sp_log_append(&thread->log, sp_open_call_context(thread, open->annotation), open->start,
                      ticks, open->node->id);
}

/* It ends now. way: the one in which it was entered, a constant where it is called. */
SP_INLINE void sp_open_call_leave(sp_manager *manager, sp_region *region, const void *key,
                                  uint64_t now, bool failed, sp_cost way)
{
    sp_guard_take();
    sp_thread *thread = sp_here.thread;
    if (SP_UNLIKELY(sp_here.run != manager->run || thread->stack.top->region != region
                    || thread->stack.top->key != key)) {
        sp_guard_release();
        sp_open_call_leave_slow(manager, region, key, now, failed, way);
        return;
    }
    sp_open_call_record(thread, sp_open_call_take(thread, now, true), now, failed, way);
    sp_guard_release();
}

/* A call of the region begins that is counted and not timed: nothing is open meanwhile. Its node is the
 * one that it would have. */
void sp_open_call_count_only(sp_manager *manager, sp_region *region);

/* Something else was done for the manager inside the innermost call of this thread. */
SP_INLINE void sp_open_call_did(sp_manager *manager, sp_cost what)
{
    sp_guard_take();
    if (SP_LIKELY(sp_here.run == manager->run))
        sp_thread_note_cost(sp_here.thread, sp_here.thread->stack.top->node, what, 1);
    sp_guard_release();
}

#endif
