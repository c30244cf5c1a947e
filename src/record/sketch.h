/* The sketch of many durations: a log-linear histogram (the idea of HdrHistogram and DDSketch) with 64
 * buckets to an octave, so that a bucket's middle is within 1/128 = 0.8 % of every value in it.
 *
 * A value is first kept as the number of its bucket, and counted with others when there are SP_SKETCH_FEW of
 * them. Counts lie in so much memory that each is a wait: several are waited for together, and what has no
 * more values than these has no counts. */
#ifndef SP_SKETCH_H
#define SP_SKETCH_H

#include "base/compat.h"

enum { SP_SKETCH_BITS = 6, SP_SKETCH_BUCKETS = 1 << SP_SKETCH_BITS, SP_SKETCH_FEW = 63 };

typedef struct {
    uint64_t *counts;                       /* octaves * SP_SKETCH_BUCKETS. Owned. */
    uint32_t lowest;                        /* the first octave held */
    uint32_t octaves;                       /* how many are held */
    uint16_t few_count, few[SP_SKETCH_FEW]; /* buckets of values that are not in counts yet */
} sp_sketch;

/* Count the values that are kept one by one. Those that find no memory are lost: samples of the percentiles,
 * never of count and times. */
void sp_sketch_spread(sp_sketch *sketch);

SP_INLINE void sp_sketch_add_bucket(sp_sketch *sketch, uint16_t bucket)
{
    if (SP_UNLIKELY(sketch->few_count == SP_SKETCH_FEW))
        sp_sketch_spread(sketch);
    sketch->few[sketch->few_count++] = bucket;
}

/* The number of a value's bucket. Values below two rows have one each; in each row from there on a bucket is
 * twice as wide as in the one before. */
SP_INLINE uint16_t sp_sketch_bucket(uint64_t value)
{
    unsigned shift = sp_highest_bit(value | SP_SKETCH_BUCKETS) - SP_SKETCH_BITS;
    return (uint16_t)(shift * SP_SKETCH_BUCKETS + (unsigned)(value >> shift));
}

SP_INLINE void sp_sketch_add(sp_sketch *sketch, uint64_t value)
{
    sp_sketch_add_bucket(sketch, sp_sketch_bucket(value));
}

/* The same for up to SP_SKETCH_FEW. */
void sp_sketch_add_all(sp_sketch *sketch, const uint32_t *values, unsigned count);

void sp_sketch_free(sp_sketch *sketch);
SP_MUST_USE int sp_sketch_merge(sp_sketch *into, const sp_sketch *from);
/* Before it is read: the values that are kept one by one are in order, or counted where there are counts. */
void sp_sketch_settle(sp_sketch *sketch);
/* The two values at these ranks (counted from 0, first <= second), in one walk; left as they are where
 * there are not so many. */
void sp_sketch_values_at(sp_sketch *sketch, uint64_t first, uint64_t second, double found[2]);
/* The buckets that have values, one after the other. */
typedef struct {
    uint32_t bucket; /* its number, counted from that of 0, */
    uint64_t count;  /* and how many values it has */
    size_t place;    /* where the next is looked for: 0 at the begin */
} sp_sketch_walk;

/* Go to the next; false when there is none. The sketch is settled. */
bool sp_sketch_next(const sp_sketch *sketch, sp_sketch_walk *walk);
/* (number of the first bucket, counts as bytes of uint64), for Python. */
PyObject *sp_sketch_object(sp_sketch *sketch);

#endif
