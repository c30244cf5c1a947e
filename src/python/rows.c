#include "python/rows.h"

#include "base/clock.h"
#include "base/heap.h"
#include "record/region.h"

int64_t sp_quantile_ns(sp_totals *totals, int which, double scale)
{
    static const double quantiles[SP_QUANTILES] = {0.5, 0.9, 0.95, 0.99, 0.999};
    double ticks = sp_totals_quantile(totals, quantiles[which]);
    return sp_clock_scaled_ns((int64_t)(ticks + 0.5), scale);
}

static PyObject *quantiles_ns(sp_totals *totals, double scale)
{
    PyObject *values = PyTuple_New(SP_QUANTILES);
    for (int i = 0; values != NULL && i < SP_QUANTILES; i++) {
        PyObject *value = PyLong_FromLongLong(sp_quantile_ns(totals, i, scale));
        if (value == NULL)
            Py_CLEAR(values);
        else
            PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

static PyObject *bytes_of(const sp_added *added)
{
    return PyBytes_FromStringAndSize((const char *)added, sizeof *added);
}

bool sp_node_has_waits(const sp_node *node, bool tracked)
{
    const sp_totals *totals = sp_node_totals(node);
    uint64_t steps = totals->costs[SP_GENERATOR] + totals->costs[SP_TRACED_GENERATOR];
    return tracked || (steps != 0 && steps == sp_totals_count(totals));
}

static PyObject *waiting_ns(const sp_node *node, bool tracked, double scale)
{
    if (!sp_node_has_waits(node, tracked))
        Py_RETURN_NONE;
    return PyLong_FromLongLong(sp_clock_scaled_ns((int64_t)sp_node_totals(node)->waiting, scale));
}

/* (bytes allocated and freed, blocks allocated and freed, peak in bytes), or None. */
static PyObject *memory_of(const sp_memory_span *memory)
{
    if (memory == NULL)
        Py_RETURN_NONE;
    const sp_memory_counts *counts = &memory->counts;
    return Py_BuildValue("(KKKKK)", (unsigned long long)counts->allocated,
                         (unsigned long long)counts->freed,
                         (unsigned long long)counts->allocations,
                         (unsigned long long)counts->frees, (unsigned long long)memory->peak);
}

/* {quantity: how much}, or None. */
static PyObject *work_of(const sp_node *node)
{
    const sp_work *done = sp_node_totals(node)->work;
    if (done == NULL || node->region == NULL)
        Py_RETURN_NONE;
    const sp_quantities *quantities = &node->region->manager->quantities;
    PyObject *work = PyDict_New();
    for (uint32_t i = 0; work != NULL && i < quantities->count; i++) {
        if (!(done->known >> i & 1))
            continue;
        PyObject *sum = PyFloat_FromDouble(done->sums[i]);
        if (sum == NULL || PyDict_SetItem(work, quantities->names[i], sum) < 0)
            Py_CLEAR(work);
        Py_XDECREF(sum);
    }
    return work;
}

void sp_put_work(sp_json_text *into, const sp_node *node)
{
    PyObject *work = work_of(node);
    if (work == NULL)
        PyErr_Clear();
    sp_json_put_value(into, work == NULL ? Py_None : work);
    Py_XDECREF(work);
}

PyObject *sp_row_of(const sp_node *node, const sp_load *load, bool tracked, double scale)
{
#define NS(ticks) (long long)sp_clock_scaled_ns((int64_t)(ticks), scale)
    sp_totals *totals = sp_node_totals(node);
    PyObject *percentiles = quantiles_ns(totals, scale);
    if (percentiles == NULL)
        return NULL;
    double deviation = sp_totals_deviation(totals) * scale;
    uint64_t count = sp_totals_count(totals);
    long long parent = node->parent == NULL ? -1 : (long long)node->parent->id - 1;
    PyObject *region = node->region == NULL ? Py_None : (PyObject *)node->region;
    return Py_BuildValue(
        "(LOKKILLLLLdNKNNNLLNNLK)", parent, region, (unsigned long long)count,
        (unsigned long long)totals->errors, (unsigned)node->active,
        NS(sp_totals_inclusive(totals)), NS(totals->sum), NS(sp_node_exclusive(node)),
        NS(count == 0 ? 0 : totals->minimum), NS(totals->maximum), deviation, percentiles,
        (unsigned long long)node->inside, bytes_of(&load->own), bytes_of(&load->total),
        waiting_ns(node, tracked, scale), NS(totals->open), NS(totals->open_own),
        memory_of(totals->memory), work_of(node),
        node->first == UINT64_MAX ? -1 : (long long)sp_clock_instant_ns(node->first),
        (unsigned long long)totals->throttled);
#undef NS
}

PyObject *sp_rows_of_tree(const sp_tree *tree, bool tracked, double scale)
{
    sp_load *loads = sp_malloc(tree->count * sizeof *loads);
    if (loads == NULL)
        return PyErr_NoMemory();
    sp_tree_load(tree, loads);
    PyObject *rows = PyList_New(tree->count - 1);
    for (uint32_t i = 1; rows != NULL && i < tree->count; i++) {
        PyObject *row = sp_row_of(tree->nodes[i], &loads[i], tracked, scale);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i - 1, row);
    }
    sp_free(loads);
    return rows;
}

PyObject *sp_rows_of_regions(const sp_region_sums *regions, bool tracked, double scale)
{
    PyObject *rows = PyList_New(regions->count);
    for (uint32_t i = 0; rows != NULL && i < regions->count; i++) {
        PyObject *row = sp_row_of(&regions->sums[i], &regions->loads[i], tracked, scale);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i, row);
    }
    return rows;
}

enum { SIZES, BUCKETS, COUNTS, SKETCH_COLUMNS };

static size_t count_buckets(const sp_tree *tree)
{
    size_t all = 0;
    for (uint32_t i = 1; i < tree->count; i++) {
        sp_sketch *sketch = &sp_node_totals(tree->nodes[i])->sketch;
        sp_sketch_settle(sketch);
        for (sp_sketch_walk walk = {0}; sp_sketch_next(sketch, &walk);)
            all++;
    }
    return all;
}

static void fill_sketches(const sp_tree *tree, char *const columns[SKETCH_COLUMNS])
{
    uint32_t *size = (uint32_t *)columns[SIZES];
    uint16_t *bucket = (uint16_t *)columns[BUCKETS];
    uint64_t *count = (uint64_t *)columns[COUNTS];
    for (uint32_t i = 1; i < tree->count; i++) {
        uint16_t *first = bucket;
        const sp_sketch *sketch = &sp_node_totals(tree->nodes[i])->sketch;
        for (sp_sketch_walk walk = {0}; sp_sketch_next(sketch, &walk);) {
            *bucket++ = (uint16_t)walk.bucket;
            *count++ = walk.count;
        }
        *size++ = (uint32_t)(bucket - first);
    }
}

PyObject *sp_sketches_of_tree(const sp_tree *tree)
{
    static const size_t widths[SKETCH_COLUMNS] = {sizeof(uint32_t), sizeof(uint16_t),
                                                  sizeof(uint64_t)};
    size_t buckets = count_buckets(tree);
    char *columns[SKETCH_COLUMNS];
    PyObject *tuple = PyTuple_New(SKETCH_COLUMNS);
    for (int i = 0; tuple != NULL && i < SKETCH_COLUMNS; i++) {
        size_t length = widths[i] * (i == SIZES ? tree->count - 1 : buckets);
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
        if (bytes == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, bytes);
        columns[i] = PyBytes_AS_STRING(bytes);
    }
    if (tuple != NULL)
        fill_sketches(tree, columns);
    return tuple;
}
