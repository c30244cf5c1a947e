#include "record/run.h"

#include "base/heap.h"
#include "record/checkpoint.h"
#include "record/contexts.h"
#include "record/counters.h"
#include "record/task.h"
#include "record/region.h"
#include "record/thread_records.h"

/* Memory is not measured any longer from calls that are open. */
static int drop_marks(sp_thread *thread, void *unused)
{
    (void)unused;
    for (const sp_open_call *open = thread->stack.top; open > thread->stack.calls; open--)
        sp_memory_mark_drop(open->memory);
    return 0;
}

static int abandon_thread(void *thread, void *manager)
{
    sp_task_abandon(thread);
    if (((sp_manager *)manager)->memory) {
        drop_marks(thread, NULL);
        sp_contexts_each(thread, drop_marks, NULL);
    }
    return 0;
}

static int free_thread(void *thread, void *unused)
{
    (void)unused;
    sp_task_release(((sp_thread *)thread)->abandoned);
    sp_thread_free(thread);
    return 0;
}

/* What regions remember of the trees. */
static void forget_edges(sp_manager *manager)
{
    for (uint32_t i = 0; i < manager->region_count; i++)
        manager->regions[i]->last = (sp_last_edge){NULL, NULL};
    if (sp_regions_changed != NULL)
        sp_regions_changed();
}

static int note_first(sp_thread *thread, void *unused)
{
    (void)unused;
    for (const sp_open_call *open = thread->stack.top; open > thread->stack.calls; open--) {
        if (open->start < open->node->first)
            open->node->first = open->start;
    }
    return 0;
}

static int start_over(void *value, void *unused)
{
    sp_thread *thread = value;
    (void)unused;
    sp_tree_start_over(&thread->tree);
    sp_log_start_over(&thread->log);
    thread->lost = 0;
    note_first(thread, NULL);
    sp_contexts_each(thread, note_first, NULL);
    return 0;
}

void sp_run_start_over(sp_manager *manager)
{
    if (manager->bounds != NULL && manager->bounds->on_full == SP_STOP)
        manager->bounds->full = false;
    sp_map_each(&manager->threads, start_over, NULL);
    forget_edges(manager);
    manager->unmatched = manager->moved = 0;
    manager->work_lost = manager->counters_lost = 0;
    manager->metadata_lost = 0;
    manager->lines_lost_before = sp_lost_lines();
}

sp_left_run sp_run_leave(sp_manager *manager)
{
    sp_left_run left = {manager->threads, manager->bounds, sp_annotations_leave(manager),
                        manager->blocks};
    manager->blocks = NULL;
    manager->threads = (sp_map){0};
    manager->bounds = NULL;
    manager->slow_pending = 0;
    sp_checkpoint_begin(manager, false);
    sp_map_each(&left.threads, abandon_thread, manager);
    forget_edges(manager);
    manager->spare = manager->newest = NULL;
    manager->busy = manager->unswept = 0;
    manager->thread_count = 0;
    manager->task_count = 0;
    manager->unmatched = manager->moved = 0;
    manager->work_lost = manager->counters_lost = 0;
    return left;
}

void sp_left_run_free(sp_left_run *left)
{
    sp_map_each(&left->threads, free_thread, NULL);
    sp_map_free(&left->threads);
    if (left->blocks != NULL && left->blocks->free != NULL)
        left->blocks->free(left->blocks);
    sp_free(left->bounds);
    sp_annotations_release(&left->annotations);
}
