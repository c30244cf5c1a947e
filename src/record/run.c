#include "record/run.h"

#include "record/task.h"
#include "record/region.h"
#include "record/thread_records.h"

static int abandon_thread(void *thread, void *unused)
{
    (void)unused;
    sp_task_abandon(thread);
    return 0;
}

static int free_thread(void *thread, void *unused)
{
    (void)unused;
    sp_task_release(((sp_thread *)thread)->abandoned);
    sp_thread_free(thread);
    return 0;
}

sp_left_run sp_run_leave(sp_manager *manager)
{
    sp_left_run left = {manager->threads, sp_annotations_leave(manager)};
    manager->threads = (sp_map){0};
    sp_map_each(&left.threads, abandon_thread, NULL);
    for (uint32_t i = 0; i < manager->region_count; i++)
        manager->regions[i]->parent = manager->regions[i]->node = NULL;
    manager->spare = NULL;
    manager->busy = manager->unswept = 0;
    manager->thread_count = 0;
    manager->task_count = 0;
    manager->unmatched = manager->moved = 0;
    return left;
}

void sp_left_run_free(sp_left_run *left)
{
    sp_map_each(&left->threads, free_thread, NULL);
    sp_map_free(&left->threads);
    sp_annotations_release(&left->annotations);
}
