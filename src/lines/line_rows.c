#include "lines/line_rows.h"

#include "lines/line_tables.h"

/* [(line, hits, nanoseconds), ...] of the lines that were hit. */
static PyObject *table_rows(const sp_line_table *table)
{
    PyObject *rows = PyList_New(0);
    if (rows == NULL)
        return NULL;
    for (int i = 0; i < table->count; i++) {
        const sp_cell *cell = &table->cells[i];
        if (cell->hits == 0)
            continue;
        PyObject *row = Py_BuildValue("iKL", table->first + i,
                                      (unsigned long long)cell->hits,
                                      (long long)sp_clock_span_ns((int64_t)cell->ticks));
        if (row == NULL || PyList_Append(rows, row) < 0) {
            Py_XDECREF(row);
            Py_DECREF(rows);
            return NULL;
        }
        Py_DECREF(row);
    }
    return rows;
}

/* The manager's regions in the set, outermost first. */
static PyObject *set_regions(const sp_line_set *set, const sp_manager *manager)
{
    PyObject *regions = PyList_New(0);
    for (; set != NULL && regions != NULL; set = set->outer) {
        if (set->region != NULL && set->region->manager == manager
            && PyList_Insert(regions, 0, (PyObject *)set->region) < 0)
            Py_CLEAR(regions);
    }
    return regions;
}

static PyObject *table_entry(const sp_line_table *table, const sp_manager *manager)
{
    PyObject *regions = set_regions(table->set, manager);
    PyObject *rows = regions == NULL ? NULL : table_rows(table);
    if (rows == NULL) {
        Py_XDECREF(regions);
        return NULL;
    }
    const sp_line_code *code = table->code;
    return Py_BuildValue("(N(OiO)N)", regions, code->file, code->def_line, code->name, rows);
}

PyObject *sp_lines_rows(const sp_manager *manager, const sp_region *wanted)
{
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    sp_clock_calibrate();
    /* Tables are added at the head only, so the list may be walked while it grows. */
    sp_line_table *table = sp_line_tables;
    for (; table != NULL; table = table->next) {
        if (wanted == NULL ? !sp_line_set_of_manager(table->set, manager)
                              : !sp_line_set_holds(table->set, wanted))
            continue;
        table->pins++; /* a region may die meanwhile, and its tables with it */
        PyObject *entry = table_entry(table, manager);
        table->pins--;
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_XDECREF(entry);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(entry);
    }
    return list;
}
