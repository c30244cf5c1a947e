#include "record/slow_calls.h"

#include "base/thread_guard.h"

SP_NOINLINE void sp_slow_call_note(sp_thread *thread, sp_slow_call call)
{
    sp_manager *manager = call.node->region->manager;
    if (thread->owner != sp_here.owner) /* of another thread, which is not there to tell */
        return;
    call.task = thread->task_number;
    bool is_another = thread->slow.node != NULL;
    thread->slow = call;
    if (is_another)
        return;
    SP_LOCK(&manager->lock);
    manager->slow_pending++;
    sp_manager_set_due(manager);
    SP_UNLOCK(&manager->lock);
}

void sp_slow_calls_begin(sp_manager *manager, bool limited)
{
    manager->limited = limited;
    for (uint32_t i = 0; i < manager->region_count; i++)
        manager->regions[i]->limit = 0;
}
