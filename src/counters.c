#include "counters.h"

#include "lines.h"

static int add_totals(void *value, void *argument)
{
    const sp_thread *thread = value;
    sp_counters *sum = argument;
    for (uint32_t i = 1; i < thread->tree.count; i++) {
        sum->calls += thread->tree.nodes[i]->count;
        sum->open += thread->tree.nodes[i]->active;
    }
    sum->lost += thread->lost;
    sum->dropped += thread->log.dropped;
    for (size_t i = 0; i < thread->log.count; i++)
        sum->bytes += sizeof(sp_block)
                      + thread->log.blocks[i]->capacity * sizeof(sp_record);
    return 0;
}

sp_counters sp_counters_take(sp_manager *manager)
{
    sp_counters sum = {0};
    sp_map_each(&manager->threads, add_totals, &sum);
    sum.threads = (uint64_t)manager->thread_count;
    return sum;
}

PyObject *sp_counters_dict(const sp_manager *manager, sp_counters sum)
{
    return Py_BuildValue("{sKsKsKsKsKsKsKsKsK}", "calls", (unsigned long long)sum.calls, "open",
                         (unsigned long long)sum.open, "threads", (unsigned long long)sum.threads,
                         "log_bytes", (unsigned long long)sum.bytes, "moved",
                         (unsigned long long)manager->moved, "unmatched",
                         (unsigned long long)manager->unmatched, "lost",
                         (unsigned long long)sum.lost, "dropped", (unsigned long long)sum.dropped,
                         "lines_lost", (unsigned long long)(sp_lines_lost() - manager->lines_lost_before));
}
