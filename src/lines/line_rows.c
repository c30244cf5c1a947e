#include "lines/line_rows.h"

#include "lines/line_tables.h"

static long long ns(uint64_t ticks) { return (long long)sp_clock_span_ns((int64_t)ticks); }

/* What else is known of a line: {field of CountedLine: number}, or None. */
static PyObject *extras_of(const sp_line_code *code, const sp_line_columns *columns, int i)
{
    if (!code->suspends)
        Py_RETURN_NONE;
    return Py_BuildValue("{sL}", "waiting_ns",
                         ns(columns->waiting == NULL ? 0 : columns->waiting[i]));
}

/* [(line, hits, nanoseconds, extras), ...] of the lines that were hit. */
static PyObject *rows_of(const sp_line_code *code, const sp_line_columns *columns)
{
    const sp_cell *cells = columns->cells;
    PyObject *rows = PyList_New(0);
    for (int i = 0; rows != NULL && i < code->plan.count; i++) {
        if (cells[i].hits == 0)
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
                      rows_of(code, columns), columns == &table->again ? Py_True : Py_False);
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
