#include "record/counters.h"

static uint64_t lost_lines;

void sp_lose_line(void) { SP_ADD(&lost_lines, 1); }
uint64_t sp_lost_lines(void) { return SP_LOAD(&lost_lines); }

static int add_totals(void *value, void *argument)
{
    sp_thread *thread = value;
    sp_counters *sum = argument;
    sp_log_settle(&thread->log);
    for (uint32_t i = 1; i < thread->tree.count; i++) {
        sum->calls += sp_node_count(thread->tree.nodes[i]);
        sum->open += thread->tree.nodes[i]->active;
    }
    for (uint32_t i = 0; i < thread->tree.count; i++) {
        for (int cost = 0; cost < SP_COSTS; cost++)
            sum->costs[cost] += sp_node_cost(thread->tree.nodes[i], (sp_cost)cost);
    }
    sum->lost += thread->lost;
    sum->dropped += thread->log.dropped;
    sum->values += thread->log.counted;
    for (size_t i = 0; i < thread->log.count; i++)
        sum->events += thread->log.blocks[i].used - thread->log.blocks[i].notes;
    for (size_t i = 0; i < thread->log.count; i++)
        sum->bytes += sizeof(sp_block) + thread->log.blocks[i].capacity * sizeof(sp_record);
    return 0;
}

sp_counters sp_counters_take(sp_manager *manager)
{
    sp_counters sum = {0};
    sp_map_each(&manager->threads, add_totals, &sum);
    sum.threads = (uint64_t)manager->thread_count;
    return sum;
}

static PyObject *tuple_of(const uint64_t *costs)
{
    PyObject *tuple = PyTuple_New(SP_COSTS);
    for (int i = 0; tuple != NULL && i < SP_COSTS; i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(costs[i]);
        if (value == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, value);
    }
    return tuple;
}

PyObject *sp_counters_dict(const sp_manager *manager, sp_counters sum)
{
    return Py_BuildValue(
        "{sKsKsKsKsKsKsKsKsKsKsKsKsN}", "calls", (unsigned long long)sum.calls, "open",
        (unsigned long long)sum.open, "threads", (unsigned long long)sum.threads, "events",
        (unsigned long long)sum.events, "log_bytes", (unsigned long long)sum.bytes, "moved",
        (unsigned long long)manager->moved, "unmatched", (unsigned long long)manager->unmatched,
        "work_lost", (unsigned long long)manager->work_lost, "counter_values",
        (unsigned long long)(sum.values + manager->counters_lost), "lost",
        (unsigned long long)sum.lost, "dropped", (unsigned long long)sum.dropped, "lines_lost",
        (unsigned long long)(sp_lost_lines() - manager->lines_lost_before), "costs",
        tuple_of(sum.costs));
}
