#include "record/counter_columns.h"

#include "base/clock.h"
#include "base/heap.h"
#include "record/log_reader.h"

/* Each in a block of its own, as Python gets them. */
static bool grow(sp_counter_columns *columns)
{
    size_t capacity = columns->capacity == 0 ? 256 : 2 * columns->capacity;
    void *blocks[] = {columns->counters, columns->threads, columns->times, columns->values};
    bool done = true;
    for (int i = 0; i < 4; i++) {
        void *larger = sp_realloc(blocks[i], capacity * sizeof(int64_t));
        if (larger == NULL)
            done = false;
        else
            blocks[i] = larger;
    }
    columns->counters = blocks[0];
    columns->threads = blocks[1];
    columns->times = blocks[2];
    columns->values = blocks[3];
    if (done)
        columns->capacity = capacity;
    return done;
}

static int gather_thread(void *value, void *argument)
{
    sp_thread *thread = value;
    sp_counter_columns *into = argument;
    if (thread->log.counted == 0)
        return 0;
    sp_log_settle(&thread->log);
    sp_log_reader reader = sp_log_read(&thread->log);
    for (const sp_record *record; (record = sp_log_next_record(&reader)) != NULL;) {
        if (record->rest == SP_RECORD_THREAD)
            reader.thread = (int64_t)record->start;
        if (record->rest == UINT64_MAX || (record->rest & SP_RECORD_KIND) != SP_RECORD_COUNTER)
            continue;
        if (into->count == into->capacity && !grow(into))
            return -1;
        size_t at = into->count++;
        into->counters[at] = (int64_t)(record->rest >> SP_COUNTER_SHIFT);
        into->threads[at] = reader.thread;
        into->times[at] = sp_clock_instant_ns(record->start);
        memcpy(&into->values[at], &record[1].start, sizeof *into->values);
    }
    return 0;
}

int sp_counter_columns_gather(sp_manager *manager, sp_counter_columns *columns)
{
    return sp_map_each(&manager->threads, gather_thread, columns);
}

static PyObject *bytes_of(const void *column, size_t count)
{
    return PyBytes_FromStringAndSize(column, (Py_ssize_t)(count * sizeof(int64_t)));
}

PyObject *sp_counter_columns_tuple(const sp_manager *manager, const sp_counter_columns *columns)
{
    const sp_quantities *names = &manager->counters;
    uint32_t count = SP_LOAD(&names->count);
    PyObject *tuple = PyTuple_New(count);
    for (uint32_t i = 0; tuple != NULL && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(names->names[i]));
    if (tuple == NULL)
        return NULL;
    size_t size = columns->count;
    return Py_BuildValue("(NNNNN)", tuple, bytes_of(columns->counters, size),
                         bytes_of(columns->threads, size), bytes_of(columns->times, size),
                         bytes_of(columns->values, size));
}

void sp_counter_columns_free(sp_counter_columns *columns)
{
    sp_free(columns->counters);
    sp_free(columns->threads);
    sp_free(columns->times);
    sp_free(columns->values);
}
