#include "python/state_text.h"

#include "base/clock.h"
#include "base/heap.h"
#include "python/rows.h"

/* [value, ...], the last one with what ends the list. */
static void put_number(sp_json_text *into, int64_t value)
{
    sp_json_put_int(into, value);
    sp_json_put(into, ",");
}

static void put_name(sp_json_text *into, const sp_region *region)
{
    sp_json_put_value(into, region->name);
    sp_json_put(into, ",");
}

static void put_ns(sp_json_text *into, int64_t ticks, double scale)
{
    put_number(into, sp_clock_scaled_ns(ticks, scale));
}

static void put_memory(sp_json_text *into, const sp_memory_span *memory)
{
    if (memory == NULL) {
        sp_json_put(into, "null,");
        return;
    }
    sp_json_put(into, "[");
    put_number(into, (int64_t)memory->counts.allocated);
    put_number(into, (int64_t)memory->counts.freed);
    put_number(into, (int64_t)memory->counts.allocations);
    put_number(into, (int64_t)memory->counts.frees);
    sp_json_put_int(into, (int64_t)memory->peak);
    sp_json_put(into, "],");
}

static void put_percentiles(sp_json_text *into, sp_totals *totals, double scale)
{
    for (int i = 0; i < SP_QUANTILES; i++) {
        sp_json_put(into, i == 0 ? "[" : ",");
        sp_json_put_int(into, sp_quantile_ns(totals, i, scale));
    }
    sp_json_put(into, "],");
}

static void put_node(sp_json_text *into, sp_node *node, bool tracked, double scale)
{
    sp_totals *totals = sp_node_totals(node);
    uint64_t count = sp_totals_count(totals);
    sp_json_put(into, "[");
    put_number(into, node->parent == NULL ? -1 : (int64_t)node->parent->id - 1);
    if (node->region == NULL)
        sp_json_put(into, "null,");
    else
        put_name(into, node->region);
    put_number(into, (int64_t)count);
    put_number(into, (int64_t)totals->errors);
    put_number(into, node->active);
    put_ns(into, (int64_t)sp_totals_inclusive(totals), scale);
    put_ns(into, (int64_t)totals->sum, scale);
    put_ns(into, (int64_t)sp_node_exclusive(node), scale);
    put_ns(into, count == 0 ? 0 : (int64_t)totals->minimum, scale);
    put_ns(into, (int64_t)totals->maximum, scale);
    sp_json_put_float(into, sp_totals_deviation(totals) * scale);
    sp_json_put(into, ",");
    put_percentiles(into, totals, scale);
    if (sp_node_has_waits(node, tracked))
        put_ns(into, (int64_t)totals->waiting, scale);
    else
        sp_json_put(into, "null,");
    put_ns(into, (int64_t)totals->open, scale);
    put_ns(into, totals->open_own, scale);
    put_memory(into, totals->memory);
    sp_put_work(into, node);
    sp_json_put(into, ",");
    put_number(into, node->first == UINT64_MAX ? -1 : (int64_t)sp_clock_instant_ns(node->first));
    sp_json_put_int(into, (int64_t)totals->throttled);
    sp_json_put(into, "]");
}

static void put_sketch(sp_json_text *into, sp_sketch *sketch)
{
    const char *before = "[";
    sp_sketch_settle(sketch);
    sp_json_put(into, "[");
    for (sp_sketch_walk walk = {0}; sp_sketch_next(sketch, &walk); before = ",[") {
        sp_json_put(into, before);
        put_number(into, walk.bucket);
        sp_json_put_int(into, (int64_t)walk.count);
        sp_json_put(into, "]");
    }
    sp_json_put(into, "]");
}

/* A field of a region, or what stands there for None. */
static void put_field(sp_json_text *into, sp_region *region, PyObject **field,
                      const char *otherwise)
{
    PyObject *value = sp_field_get((PyObject *)region, field);
    if (value == Py_None)
        sp_json_put(into, otherwise);
    else
        sp_json_put_value(into, value);
    Py_DECREF(value);
}

static void put_region(sp_json_text *into, sp_region *region)
{
    sp_json_put(into, "[");
    put_name(into, region);
    put_field(into, region, &region->source_file, "\"\"");
    sp_json_put(into, ",");
    put_number(into, region->source_line);
    put_field(into, region, &region->tags, "[]");
    sp_json_put(into, "]");
}

/* Those that were entered, each once, in the order of their numbers. */
static void put_regions(sp_json_text *into, const sp_manager *manager, const sp_tree *tree)
{
    sp_region **found = sp_calloc(manager->region_count + 1, sizeof *found);
    const char *before = "";
    if (found == NULL) {
        into->failed = true;
        return;
    }
    for (uint32_t i = 1; i < tree->count; i++) {
        const sp_node *node = tree->nodes[i];
        if (node->region != NULL && (sp_node_count(node) != 0 || node->active != 0))
            found[node->region->id] = node->region;
    }
    for (uint32_t i = 0; i < manager->region_count; i++) {
        if (found[i] == NULL)
            continue;
        sp_json_put(into, before);
        put_region(into, found[i]);
        before = ",";
    }
    sp_free(found);
}

void sp_state_put_tree(sp_json_text *into, const sp_manager *manager, const sp_tree *tree,
                       double scale)
{
    const sp_quantities *counters = &manager->counters;
    sp_json_put(into, ",\"counters\":[");
    for (uint32_t i = 0; i < SP_LOAD(&counters->count); i++) {
        sp_json_put(into, i == 0 ? "" : ",");
        sp_json_put_value(into, counters->names[i]);
    }
    sp_json_put(into, "],\"scale\":");
    sp_json_put_float(into, scale);
    sp_json_put(into, ",\"tree\":[");
    for (uint32_t i = 1; i < tree->count; i++) {
        sp_json_put(into, i == 1 ? "" : ",");
        put_node(into, tree->nodes[i], manager->waits, scale);
    }
    sp_json_put(into, "],\"sketches\":[");
    for (uint32_t i = 1; i < tree->count; i++) {
        sp_json_put(into, i == 1 ? "" : ",");
        put_sketch(into, &sp_node_totals(tree->nodes[i])->sketch);
    }
    sp_json_put(into, "],\"regions\":[");
    put_regions(into, manager, tree);
    sp_json_put(into, "]");
}
