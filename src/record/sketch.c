#include "record/sketch.h"

#include "base/heap.h"

/* Make room from one octave to another; false when memory is out. */
static bool reach(sp_sketch *sketch, uint32_t lowest, uint32_t last)
{
    uint32_t end = last + 1;
    if (sketch->octaves != 0) {
        uint32_t end_now = sketch->lowest + sketch->octaves;
        lowest = lowest < sketch->lowest ? lowest : sketch->lowest;
        end = end > end_now ? end : end_now;
    }
    if (end - lowest == sketch->octaves)
        return true;
    size_t row = SP_SKETCH_BUCKETS * sizeof *sketch->counts;
    uint64_t *counts = sp_calloc(end - lowest, row);
    if (counts == NULL)
        return false;
    if (sketch->octaves != 0)
        memcpy(counts + (sketch->lowest - lowest) * SP_SKETCH_BUCKETS, sketch->counts,
               sketch->octaves * row);
    sp_free(sketch->counts);
    sketch->counts = counts;
    sketch->lowest = lowest;
    sketch->octaves = end - lowest;
    return true;
}

/* Make room for the values that are kept one by one; false when memory is out. */
static bool reach_few(sp_sketch *sketch)
{
    unsigned lowest = sketch->few[0], last = lowest;
    for (unsigned i = 1; i < sketch->few_count; i++) {
        lowest = sketch->few[i] < lowest ? sketch->few[i] : lowest;
        last = sketch->few[i] > last ? sketch->few[i] : last;
    }
    return reach(sketch, lowest / SP_SKETCH_BUCKETS, last / SP_SKETCH_BUCKETS);
}

SP_APART void sp_sketch_spread(sp_sketch *sketch)
{
    if (sketch->few_count != 0 && reach_few(sketch)) {
        for (unsigned i = 0; i < sketch->few_count; i++)
            sketch->counts[sketch->few[i] - sketch->lowest * SP_SKETCH_BUCKETS]++;
    }
    sketch->few_count = 0;
}

void sp_sketch_add_all(sp_sketch *sketch, const uint32_t *values, unsigned count)
{
    if (sketch->few_count + count > SP_SKETCH_FEW)
        sp_sketch_spread(sketch);
    uint16_t *few = sketch->few + sketch->few_count;
    for (unsigned i = 0; i < count; i++)
        few[i] = sp_sketch_bucket(values[i]);
    sketch->few_count += (uint16_t)count;
}

void sp_sketch_free(sp_sketch *sketch)
{
    sp_free(sketch->counts);
    *sketch = (sp_sketch){0};
}

int sp_sketch_merge(sp_sketch *into, const sp_sketch *from)
{
    for (unsigned i = 0; i < from->few_count; i++)
        sp_sketch_add_bucket(into, from->few[i]);
    if (from->octaves == 0)
        return 0;
    if (!reach(into, from->lowest, from->lowest + from->octaves - 1))
        return -1;
    uint64_t *counts = into->counts + (from->lowest - into->lowest) * SP_SKETCH_BUCKETS;
    for (size_t i = 0; i < (size_t)from->octaves * SP_SKETCH_BUCKETS; i++)
        counts[i] += from->counts[i];
    return 0;
}

/* The middle of a bucket, as a duration. */
static double bucket_value(uint32_t octave, size_t bucket)
{
    if (octave == 0)
        return (double)bucket;
    double width = (double)(UINT64_C(1) << (octave - 1));
    return ((double)(SP_SKETCH_BUCKETS + bucket) + 0.5) * width - 0.5;
}

void sp_sketch_settle(sp_sketch *sketch)
{
    if (sketch->octaves != 0)
        sp_sketch_spread(sketch);
    for (unsigned i = 1; i < sketch->few_count; i++) {
        uint16_t bucket = sketch->few[i];
        unsigned at = i;
        for (; at > 0 && sketch->few[at - 1] > bucket; at--)
            sketch->few[at] = sketch->few[at - 1];
        sketch->few[at] = bucket;
    }
}

static double few_value(const sp_sketch *sketch, uint64_t rank)
{
    uint16_t bucket = sketch->few[rank];
    return bucket_value(bucket / SP_SKETCH_BUCKETS, bucket % SP_SKETCH_BUCKETS);
}

void sp_sketch_values_at(sp_sketch *sketch, uint64_t first, uint64_t second, double found[2])
{
    uint64_t below = 0;
    bool have_first = false;
    sp_sketch_settle(sketch);
    if (first < sketch->few_count)
        found[0] = few_value(sketch, first);
    if (second < sketch->few_count)
        found[1] = few_value(sketch, second);
    for (size_t i = 0; i < (size_t)sketch->octaves * SP_SKETCH_BUCKETS; i++) {
        below += sketch->counts[i];
        double value = bucket_value(sketch->lowest + (uint32_t)(i / SP_SKETCH_BUCKETS),
                                    i % SP_SKETCH_BUCKETS);
        if (!have_first && below > first) {
            found[0] = value;
            have_first = true;
        }
        if (below > second) {
            found[1] = value;
            return;
        }
    }
}

static bool next_of_few(const sp_sketch *sketch, sp_sketch_walk *walk)
{
    size_t first = walk->place;
    if (first >= sketch->few_count)
        return false;
    walk->bucket = sketch->few[first];
    while (walk->place < sketch->few_count && sketch->few[walk->place] == walk->bucket)
        walk->place++;
    walk->count = walk->place - first;
    return true;
}

bool sp_sketch_next(const sp_sketch *sketch, sp_sketch_walk *walk)
{
    if (sketch->octaves == 0)
        return next_of_few(sketch, walk);
    size_t end = (size_t)sketch->octaves * SP_SKETCH_BUCKETS;
    while (walk->place < end && sketch->counts[walk->place] == 0)
        walk->place++;
    if (walk->place == end)
        return false;
    walk->bucket = sketch->lowest * SP_SKETCH_BUCKETS + (uint32_t)walk->place;
    walk->count = sketch->counts[walk->place++];
    return true;
}

PyObject *sp_sketch_object(sp_sketch *sketch)
{
    sp_sketch_spread(sketch);
    size_t size = sketch->octaves * SP_SKETCH_BUCKETS * sizeof *sketch->counts;
    return Py_BuildValue("(Iy#)", (unsigned)sketch->lowest * SP_SKETCH_BUCKETS,
                         size == 0 ? "" : (const char *)sketch->counts, (Py_ssize_t)size);
}
