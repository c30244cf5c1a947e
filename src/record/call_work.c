#include "record/call_work.h"

#include "base/thread_guard.h"
#include "record/contexts.h"
#include "record/thread_records.h"

/* The node of the newest open call of the region. In the stack at hand that is looked for call by call;
 * what is open around a task, or where work was submitted, is on the path of the tree. */
static sp_node *node_of(const sp_thread *thread, const sp_region *region)
{
    const sp_open_call *open = thread->stack.top;
    if (sp_current_context() == thread->stack.context) {
        while (open > thread->stack.calls && open->region != region)
            open--;
        if (open > thread->stack.calls)
            return open->node;
    }
    sp_node *node = sp_context_innermost(thread);
    while (node != NULL && node->region != region)
        node = node->parent;
    return node;
}

static sp_node *innermost(const sp_thread *thread)
{
    sp_node *node = sp_context_innermost(thread);
    return node->region == NULL ? NULL : node; /* the root, or other paths */
}

static bool add(sp_thread *thread, const sp_region *region, const sp_amount *amounts,
                Py_ssize_t count)
{
    sp_node *node = region == NULL ? innermost(thread) : node_of(thread, region);
    sp_totals *totals = node == NULL ? NULL : sp_node_own_totals(node);
    sp_work *work = totals == NULL ? NULL : sp_totals_work(totals);
    if (work == NULL)
        return false;
    bool all = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (amounts[i].quantity < SP_QUANTITIES)
            sp_work_add(work, amounts[i].quantity, amounts[i].amount);
        else
            all = false;
    }
    sp_thread_note_cost(thread, thread->stack.top->node, SP_WORK, 1);
    return all;
}

void sp_call_add_work(sp_manager *manager, const sp_region *region, const sp_amount *amounts,
                      Py_ssize_t count)
{
    if (sp_unrecorded_for(manager))
        return;
    sp_guard_take();
    sp_thread *thread = sp_thread_find(manager);
    bool done = thread != NULL && add(thread, region, amounts, count);
    sp_guard_release();
    if (!done)
        SP_ADD(&manager->work_lost, 1);
}
