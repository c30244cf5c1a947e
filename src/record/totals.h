/* What the calls of a node have come to: statistics alone, without a place in a tree. Results are made of
 * these, and while calls are recorded they are looked at rarely (node.h). */
#ifndef SP_TOTALS_H
#define SP_TOTALS_H

#include "counters/work.h"
#include "memory/thread_memory.h"
#include "record/sketch.h"
#include "record/thinning.h"

/* What takes time of ours, each an amount of its own, which overhead.py measures. */
typedef enum {
    SP_BLOCK,            /* calls that are entered and left: by `with`, */
    SP_DECORATED,        /* by a decorated function, */
    SP_TRACED,           /* by one that is traced, */
    SP_TRACED_C,         /* by a C function that is; */
    SP_GENERATOR,        /* calls that are made of steps, of a decorated generator or coroutine */
    SP_TRACED_GENERATOR, /* and of a traced one */
    SP_CALL_WAYS,
    SP_STEP = SP_CALL_WAYS, /* and their steps */
    SP_TRACED_STEP,
    SP_WAYS,
    SP_LOOKUP = SP_WAYS, /* done while a call is the innermost: a region found by name, */
    SP_METADATA,         /* metadata put in force and taken back, */
    SP_ANNOTATION,       /* looked up for a call, */
    SP_OUTCOME,          /* the end of a call noted; */
    SP_LINE,             /* lines that line mode counts; */
    SP_WORK,             /* work added to a call; */
    SP_THROTTLED,        /* a call of what is throttled, counted and not timed */
    SP_COSTS
} sp_cost;

typedef struct {
    uint64_t sum;              /* ticks, every call */
    uint64_t minimum, maximum; /* UINT64_MAX and 0 without calls */
    sp_wide squares; /* sum of the squares: exact, so the deviation has no cancellation */
    sp_sketch sketch;
    uint64_t costs[SP_COSTS]; /* how often each; the calls are those of the first SP_CALL_WAYS */
    uint64_t errors;          /* calls left by an exception */
    uint64_t throttled; /* further calls, which were counted and not timed (calls/throttle.h) */
    uint64_t nested;    /* ticks of those that were inside a call of the same node */
    uint64_t waiting;   /* of the total, what generators and tasks did not run */
    uint64_t open; /* as of the last snapshot: the ticks of calls that are not over, outermost, */
    int64_t open_own;      /* and the part of them outside of other calls */
    sp_thinning *thinning; /* of the calls of the region, in its first node; or NULL. Owned. */
    sp_memory_span
        *memory;   /* of its outermost calls, and the highest peak of all; NULL where that is
                             * not measured. Owned. */
    sp_work *work; /* that its calls did, or NULL for none. Owned. */
} sp_totals;

/* Of no calls. Everybody's, so nobody writes to them. */
extern sp_totals sp_no_totals;

/* Those of no calls; NULL when memory is out. */
sp_totals *sp_totals_new(void);
void sp_totals_free(sp_totals *totals);

/* Calls took so many ticks each: one, or up to SP_SKETCH_FEW. */
void sp_totals_add(sp_totals *totals, uint64_t ticks);
void sp_totals_add_all(sp_totals *totals, const uint32_t *ticks, unsigned count);

/* Add what calls took of memory; false when there is none for that. */
bool sp_totals_add_memory(sp_totals *totals, const sp_memory_span *span);
/* Their work, to be added to; NULL when memory is out. */
sp_work *sp_totals_work(sp_totals *totals);
SP_MUST_USE int sp_totals_merge(sp_totals *into, const sp_totals *from);

/* Finished calls. */
SP_INLINE uint64_t sp_totals_count(const sp_totals *totals)
{
    uint64_t count = 0;
    for (int way = 0; way < SP_CALL_WAYS; way++)
        count += totals->costs[way];
    return count;
}

/* Wall time in the region: of a recursion the outermost call. */
SP_INLINE uint64_t sp_totals_inclusive(const sp_totals *totals)
{
    return totals->sum - totals->nested;
}

/* The duration in ticks that the fraction q of the calls do not exceed, interpolated between
 * neighbours in rank as numpy does; 0 without calls. */
double sp_totals_quantile(sp_totals *totals, double q);
/* The standard deviation of all calls in ticks (of the population, as numpy's default). */
double sp_totals_deviation(const sp_totals *totals);

#endif
