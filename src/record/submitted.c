#include "record/submitted.h"

#include "base/thread_guard.h"
#include "record/contexts.h"
#include "record/thread_records.h"

static void hang_below(sp_thread *thread, sp_node *base)
{
    thread->base = base;
    if (sp_stack_is_empty(&thread->stack))
        thread->stack.calls->node = base;
}

static void note_wait(sp_thread *thread, struct sp_region *queued, uint64_t since)
{
    sp_node *node = sp_tree_child(&thread->tree, thread->base, queued);
    uint64_t now = sp_now();
    if (node == NULL)
        return;
    if (since < node->first)
        node->first = since;
    sp_node_begin(node);
    if (!sp_node_record(node, SP_BLOCK, now - since, 0, 0, false, false))
        thread->lost++;
}

sp_submitted sp_submitted_begin(sp_manager *manager, struct sp_region *const *regions,
                                size_t count, struct sp_region *queued, uint64_t since)
{
    sp_submitted before = {.run = SP_NO_RUN};
    sp_guard_take();
    sp_thread *thread = manager->recording ? sp_thread_of(manager) : NULL;
    if (thread != NULL && thread->task == NULL && !sp_thread_has_open(thread)) {
        before = (sp_submitted){manager->run, thread->base};
        sp_node *base = &thread->tree.root;
        for (size_t i = 0; i < count && base != NULL; i++)
            base = sp_tree_child(&thread->tree, base, regions[i]);
        hang_below(thread, base != NULL ? base : &thread->tree.root);
        note_wait(thread, queued, since);
    }
    sp_guard_release();
    return before;
}

void sp_submitted_end(sp_manager *manager, sp_submitted before)
{
    sp_guard_take();
    sp_thread *thread = before.run == manager->run ? sp_thread_find(manager) : NULL;
    if (thread != NULL)
        hang_below(thread, before.base);
    sp_guard_release();
}
