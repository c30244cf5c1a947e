#include "record/event_columns.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/pages.h"
#include "record/log_reader.h"
#include "record/region.h"

typedef struct {
    const sp_region *wanted; /* or NULL for all */
    sp_thinning *
        *samples; /* by region id: where a sample of all calls is wanted; or NULL. Owned. */
    uint64_t *ends;          /* by region id: where its next event goes */
    int64_t *starts, *durations;
    int64_t *threads;       /* NULL when one thread made all the calls */
    int64_t *annotations;   /* NULL when no call has metadata */
    int64_t *tasks, *waits; /* NULL when there are no tasks */
    int16_t *nodes; /* rows of the tree of all threads. NULL when they are not wanted, */
    int32_t *wide_nodes; /* or are too many for the one or the other */
    int64_t recorded;       /* threads with a call so far */
    const sp_event_columns *columns;
    uint64_t gathered; /* calls so far */
} gathering;

/* Draw the samples: those of the threads are put together. */
static int draw_thread(void *value, void *argument)
{
    sp_thread *thread = value;
    gathering *into = argument;
    sp_log_settle(&thread->log);
    sp_log_reader reader = sp_log_read(&thread->log);
    sp_logged_call read;
    while (sp_log_next(&reader, &read)) {
        sp_thinning *sample = into->samples[thread->tree.nodes[read.node]->region->id];
        if (sample != NULL)
            sp_thinning_offer(sample, sp_thinning_key(read.start, read.ticks, reader.thread));
    }
    return 0;
}

static void free_samples(const sp_manager *manager, gathering *into)
{
    for (uint32_t i = 0; into->samples != NULL && i < manager->region_count; i++)
        sp_thinning_free(into->samples[i]);
    sp_free(into->samples);
}

/* -1 when memory is out. */
static int draw(sp_manager *manager, gathering *into)
{
    for (uint32_t i = 0; i < manager->region_count; i++) {
        const sp_region *region = manager->regions[i];
        uint32_t every, keep;
        if (!(region->extras & SP_THINNED) || !sp_region_thinning(region, &every, &keep)
            || keep == 0)
            continue;
        if (into->samples == NULL
            && (into->samples = sp_calloc(manager->region_count, sizeof *into->samples)) == NULL)
            return -1;
        if ((into->samples[i] = sp_thinning_new(0, keep)) == NULL)
            return -1;
    }
    if (into->samples != NULL)
        sp_map_each(&manager->threads, draw_thread, into);
    return 0;
}

/* Whether it is a call that is wanted. */
static bool is_wanted(const gathering *into, const sp_log_reader *reader,
                      const sp_logged_call *read, const sp_region *region)
{
    if (into->wanted != NULL && into->wanted != region)
        return false;
    const sp_thinning *sample = into->samples == NULL ? NULL : into->samples[region->id];
    return sample == NULL
           || sp_thinning_key(read->start, read->ticks, reader->thread)
                  <= sp_thinning_limit(sample);
}

static int count_thread(void *value, void *argument)
{
    sp_thread *thread = value;
    gathering *into = argument;
    sp_log_settle(&thread->log);
    sp_log_reader reader = sp_log_read(&thread->log);
    sp_logged_call read;
    int64_t last = -1; /* thread with such a call; there are no two records of one */
    while (sp_log_next(&reader, &read)) {
        const sp_region *region = thread->tree.nodes[read.node]->region;
        if (is_wanted(into, &reader, &read, region)) {
            into->ends[region->id]++;
            into->recorded += reader.thread != last;
            last = reader.thread;
        }
    }
    return 0;
}

/* Columns that lie in files need no memory where they are not written to. */
static void rest_rooms(const sp_event_columns *columns)
{
    for (int i = 0; columns->rooms != NULL && i < SP_EVENT_COLUMNS; i++) {
        if (columns->rooms[i].obj != NULL && columns->rooms[i].obj == columns->columns[i])
            sp_pages_rest(columns->rooms[i].buf, (size_t)columns->rooms[i].len);
    }
}

static int gather_thread(void *value, void *argument)
{
    const sp_thread *thread = value;
    gathering *into = argument;
    sp_log_reader reader = sp_log_read(&thread->log);
    sp_logged_call read;
    while (sp_log_next(&reader, &read)) {
        const sp_region *region = thread->tree.nodes[read.node]->region;
        if (!is_wanted(into, &reader, &read, region))
            continue;
        uint64_t at = into->ends[region->id]++;
        into->starts[at] = sp_clock_instant_ns(read.start);
        into->durations[at] = sp_clock_duration_ns(read.start, read.ticks);
        if (into->threads != NULL)
            into->threads[at] = reader.thread;
        if (into->annotations != NULL)
            into->annotations[at] = (int64_t)read.annotation - 1;
        if (into->tasks != NULL) {
            into->tasks[at] = (int64_t)read.task - 1;
            into->waits[at] = sp_clock_span_ns((int64_t)read.waited);
        }
        if (into->nodes != NULL) /* the root has no row */
            into->nodes[at] = (int16_t)(thread->merged[read.node]->id - 1);
        else if (into->wide_nodes != NULL)
            into->wide_nodes[at] = (int32_t)(thread->merged[read.node]->id - 1);
        enum { OFTEN = 1 << 20 };
        if (++into->gathered % OFTEN == 0)
            rest_rooms(into->columns);
    }
    return 0;
}

/* Room for one column; NULL with an exception set. */
static void *new_bytes(sp_event_columns *events, int which, uint64_t size)
{
    const Py_buffer *room = events->rooms == NULL ? NULL : &events->rooms[which];
    PyObject **column = &events->columns[which];
    if (room != NULL && room->obj != NULL && (uint64_t)room->len >= size) {
        *column = Py_NewRef(room->obj);
        return room->buf;
    }
    *column = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)size);
    return *column == NULL ? NULL : PyByteArray_AS_STRING(*column);
}

static int64_t *new_column(sp_event_columns *events, int which, uint64_t length)
{
    return new_bytes(events, which, length * sizeof(int64_t));
}

/* Fill the columns, region after region; `ends` comes back as where each region ends. */
static int gather(sp_manager *manager, gathering *into, uint32_t nodes, sp_event_columns *events)
{
    PyObject **columns = events->columns;
    if (draw(manager, into) < 0)
        return -1;
    sp_map_each(&manager->threads, count_thread, into);
    uint64_t total = 0;
    for (uint32_t i = 0; i < manager->region_count; i++) {
        uint64_t count = into->ends[i];
        into->ends[i] = total;
        total += count;
    }
    if ((into->starts = new_column(events, 0, total)) == NULL
        || (into->durations = new_column(events, 1, total)) == NULL)
        return -1;
    if (into->recorded < 2)
        columns[2] = Py_NewRef(Py_None);
    else if ((into->threads = new_column(events, 2, total)) == NULL)
        return -1;
    if (manager->annotations == NULL)
        columns[3] = Py_NewRef(Py_None);
    else if ((into->annotations = new_column(events, 3, total)) == NULL)
        return -1;
    if (!manager->waits) {
        columns[4] = Py_NewRef(Py_None);
        columns[5] = Py_NewRef(Py_None);
    } else if ((into->tasks = new_column(events, 4, total)) == NULL
               || (into->waits = new_column(events, 5, total)) == NULL)
        return -1;
    if (nodes == 0)
        columns[6] = Py_NewRef(Py_None);
    else if (nodes > INT16_MAX) {
        if ((into->wide_nodes = new_bytes(events, 6, total * sizeof *into->wide_nodes)) == NULL)
            return -1;
    } else if ((into->nodes = new_bytes(events, 6, total * sizeof *into->nodes)) == NULL)
        return -1;
    sp_map_each(&manager->threads, gather_thread, into);
    rest_rooms(events);
    return 0;
}

PyObject *sp_counts_list(const uint64_t *values, uint32_t count)
{
    PyObject *list = PyList_New(count);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(values[i]);
        if (value == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, value);
    }
    return list;
}

int sp_event_columns_gather(sp_manager *manager, const sp_region *wanted, uint32_t nodes,
                            sp_event_columns *events)
{
    events->regions = manager->region_count;
    events->ends = sp_calloc((size_t)events->regions + 1, sizeof *events->ends);
    if (events->ends == NULL)
        return -1;
    gathering into = {.wanted = wanted, .ends = events->ends, .columns = events};
    int result = gather(manager, &into, nodes, events);
    free_samples(manager, &into);
    return result;
}

uint64_t *sp_event_counts(sp_manager *manager)
{
    gathering counting = {
        .ends = sp_calloc((size_t)manager->region_count + 1, sizeof *counting.ends)};
    if (counting.ends != NULL && draw(manager, &counting) == 0)
        sp_map_each(&manager->threads, count_thread, &counting);
    free_samples(manager, &counting);
    return counting.ends;
}

PyObject *sp_event_columns_tuple(const sp_event_columns *events)
{
    PyObject *ends = sp_counts_list(events->ends, events->regions);
    PyObject *const *columns = events->columns;
    return ends == NULL ? NULL
                        : Py_BuildValue("(NOOOOOOO)", ends, columns[0], columns[1], columns[2],
                                        columns[3], columns[4], columns[5], columns[6]);
}

void sp_event_columns_free(sp_event_columns *events)
{
    sp_free(events->ends);
    for (int i = 0; i < SP_EVENT_COLUMNS; i++)
        Py_XDECREF(events->columns[i]);
}
