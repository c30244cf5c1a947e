#include "lines/line_rows.h"

#include "lines/line_tables.h"

static long long ns(uint64_t ticks) { return (long long)sp_clock_span_ns((int64_t)ticks); }

/* Put it in, which takes the value; -1 with an exception. */
static int put(PyObject *extras, const char *name, PyObject *value)
{
    int result = value == NULL ? -1 : PyDict_SetItemString(extras, name, value);
    Py_XDECREF(value);
    return result;
}

static int put_ns(PyObject *extras, const char *name, uint64_t ticks)
{
    return put(extras, name, PyLong_FromLongLong(ns(ticks)));
}

static int put_details(PyObject *extras, sp_line_detail *detail)
{
    if (put(extras, "raised", PyLong_FromUnsignedLongLong(detail->raised)) < 0
        || put_ns(extras, "callees_ns", detail->callees) < 0
        || put(extras, "sketch", sp_sketch_object(&detail->hits)) < 0)
        return -1;
    if (detail->longest < detail->shortest) /* no hit has ended */
        return 0;
    return put_ns(extras, "minimum_ns", detail->shortest) < 0
                   || put_ns(extras, "maximum_ns", detail->longest) < 0
               ? -1
               : 0;
}

static int put_number(PyObject *extras, const char *name, int64_t number)
{
    return put(extras, name, PyLong_FromLongLong(number));
}

static int put_memory(PyObject *extras, const sp_line_memory *memory)
{
    const sp_memory_counts *counts = &memory->span.counts;
    if (put_number(extras, "allocated_bytes", (int64_t)counts->allocated) < 0
        || put_number(extras, "freed_bytes", (int64_t)counts->freed) < 0
        || put_number(extras, "allocations", (int64_t)counts->allocations) < 0
        || put_number(extras, "frees", (int64_t)counts->frees) < 0
        || put_number(extras, "peak_bytes", (int64_t)memory->span.peak) < 0)
        return -1;
    if (memory->resident == 0)
        return 0;
    return put_number(extras, "resident_bytes", memory->resident) < 0
                   || put_number(extras, "increment_bytes", memory->grown) < 0
               ? -1
               : 0;
}

static PyObject *work_of(const sp_line_work *work)
{
    const uint64_t *frames = work->frames;
    return Py_BuildValue("(KKKKK)", (unsigned long long)work->hits, (unsigned long long)frames[0],
                         (unsigned long long)frames[1], (unsigned long long)frames[2],
                         (unsigned long long)frames[3]);
}

/* What else is known of a line: {field of CountedLine: number}, and as "sketch", which the percentile comes
 * from, what Manager._snapshot() gives of calls; as "below" how many lines were counted and frames ended, by
 * sp_line_why, in frames above. Or None. */
static PyObject *extras_of(const sp_line_code *code, const sp_line_columns *columns, int i)
{
    if (!code->suspends && columns->below == NULL && columns->details == NULL
        && columns->memory == NULL)
        Py_RETURN_NONE;
    PyObject *extras = PyDict_New();
    uint64_t waiting = columns->waiting == NULL ? 0 : columns->waiting[i];
    if (extras != NULL && code->suspends && put_ns(extras, "waiting_ns", waiting) < 0)
        Py_CLEAR(extras);
    if (extras != NULL && columns->below != NULL
        && put(extras, "below", work_of(&columns->below[i])) < 0)
        Py_CLEAR(extras);
    if (extras != NULL && columns->details != NULL
        && put_details(extras, &columns->details[i]) < 0)
        Py_CLEAR(extras);
    if (extras != NULL && columns->memory != NULL && put_memory(extras, &columns->memory[i]) < 0)
        Py_CLEAR(extras);
    return extras;
}

/* [(line, hits, nanoseconds, extras), ...] of the lines that were hit, or have gone on after a hit that was
 * taken before. */
static PyObject *rows_of(const sp_line_table *table, const sp_line_columns *columns)
{
    const sp_line_code *code = table->code;
    const sp_cell *cells = columns->cells;
    PyObject *rows = PyList_New(0);
    for (int i = 0; rows != NULL && i < code->plan.count; i++) {
        if (cells[i].hits == 0 && (cells[i].ticks == 0 || !table->goes_on))
            continue;
        PyObject *row =
            Py_BuildValue("iKLN", code->plan.first + i, (unsigned long long)cells[i].hits,
                          ns(cells[i].ticks), extras_of(code, columns, i));
        if (row == NULL || PyList_Append(rows, row) < 0)
            Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    return rows;
}

static int append(PyObject *list, const sp_line_table *table, const sp_line_columns *columns)
{
    const sp_line_code *code = table->code;
    PyObject *entry =
        Py_BuildValue("(O(OiO)NO)", table->region, code->file, code->def_line, code->name,
                      rows_of(table, columns), columns == &table->again ? Py_True : Py_False);
    int result = entry == NULL ? -1 : PyList_Append(list, entry);
    Py_XDECREF(entry);
    return result;
}

static int append_table(PyObject *list, const sp_line_table *table)
{
    PyObject *region = Py_NewRef(table->region);
    int result = append(list, table, &table->first);
    if (result == 0 && table->again.cells != NULL)
        result = append(list, table, &table->again);
    Py_DECREF(region);
    return result;
}

PyObject *sp_lines_rows_of(const sp_line_table *taken)
{
    PyObject *list = PyList_New(0);
    sp_clock_calibrate();
    for (; list != NULL && taken != NULL; taken = taken->next) {
        if (append_table(list, taken) < 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *sp_lines_rows(const sp_manager *manager, const sp_region *wanted)
{
    PyObject *list = PyList_New(0);
    sp_clock_calibrate();
    /* Tables are added at the head only, so the list may be walked while it grows. */
    for (sp_line_table *table = sp_line_tables, *next; list != NULL && table != NULL; table = next) {
        bool is_wanted = wanted == NULL ? sp_line_table_manager(table) == manager
                                        : table->region == wanted;
        sp_line_table_hold(table); /* regions may die meanwhile, and their tables with them */
        if (is_wanted && append_table(list, table) < 0)
            Py_CLEAR(list);
        next = table->next;
        sp_line_table_release(table);
    }
    return list;
}
