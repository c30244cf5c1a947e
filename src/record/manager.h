/* One profiling manager: its regions by name, and the threads of its current run. The life cycle
 * (options, files, reports) is Python, in scope_profiler/manager.py, on top of this type. */
#ifndef SP_MANAGER_H
#define SP_MANAGER_H

#include "base/map.h"
#include "base/name_cache.h"
#include "base/names.h"
#include "record/thread.h"

struct sp_region;
struct sp_state;

#define SP_NO_RUN UINT64_MAX /* not 0: that is what a thread has before its first recording */

typedef struct sp_manager {
    PyObject_HEAD
    struct sp_state *state; /* of the module (python/state.h) */
    PyObject *weakrefs;
    PyTypeObject *region_type; /* what new regions are made of. Owned. */
    PyObject *lookup;          /* the callable profile_region. Owned; made when first asked for. */
    PyObject *arm;             /* called with a code object new to line mode, or NULL. Owned. */
    sp_names names;            /* text -> region, borrowed from `regions` */
    struct sp_region **regions; /* by id. Owned, and so is every reference in it. */
    uint32_t region_count, region_capacity;
    sp_name_cache cache;       /* the same by the address of the name */
    uint32_t lent; /* how often regions are borrowed by what may run Python meanwhile */
    uint64_t run;   /* number of the current run; unique in the process, or SP_NO_RUN */
    uint64_t after_call_due; /* when, in ticks, a call that ends has more to do (after_call.h): */
    uint64_t checkpoint_due; /* make a checkpoint, */
    uint64_t slow_pending;   /* or, in so many threads, tell of one that took too long */
    bool limited;            /* some regions have limits (slow_calls.h) */
    bool recording; /* a run is on and not paused */
    bool leaving;   /* calls were open when recording stopped last: they end all the same */
    bool events;    /* it logs every call, not statistics alone, */
    sp_block_store *blocks; /* in blocks of this; NULL without a run. Owned. */
    uint64_t shortest;      /* but those that take fewer ticks */
    uint32_t keep_every,
        keep;          /* of which calls the times are kept, unless a region says it itself: see
                        * sp_region_thinning() */
    sp_bounds *bounds; /* of the logs of this run, or NULL. Owned. */
    bool lines;     /* it is in line mode, */
    bool line_details; /* and keeps more of each line */
    bool memory;       /* it is measured what calls take of memory, */
    bool line_memory;  /* and what lines do */
    bool selective; /* regions without tags do not record */
    struct sp_metadata_scope *waiting; /* entered without a run, newest first. Borrowed. */
    bool scoped;    /* a metadata scope has been entered, and may be open */
    bool annotated; /* its calls may have metadata */
    bool calibrates; /* it measures what recording costs, and records where others do not (callout.h) */
    bool permanent; /* it lives as long as the process, and without the GIL so do its regions */
    PyObject *on_checkpoint; /* called with the manager to make one, or NULL. Owned. */
    PyObject *on_slow;       /* has methods limit_ns(name) and tell(...), or NULL. Owned. */
    PyObject *on_thread; /* called in each thread that begins to record, or NULL. Owned. */
    int64_t thread_count; /* that have recorded in this run */
    size_t unswept;       /* threads that began since free records were looked for last, */
    size_t busy;          /* records that were in use then, */
    sp_thread *spare;     /* and the first that was free and still is */
    sp_thread *newest;    /* the record that was made last: all of the run, for the sampler */
    uint32_t task_count; /* tasks and greenlets of this run */
    bool waits;          /* it is recorded how long each call waited */
    int8_t recursive; /* 1: decorated calls trace what they call, unless their regions say no */
    sp_map threads; /* serial number -> sp_thread, of this run. Owned. */
    /* Metadata of the run, by number less one: a list, with None for what is gone. Owned, or NULL. */
    PyObject *annotations;
    Py_ssize_t annotations_from; /* no number below it is free */
    PyObject
        *handed_out; /* the list of the part before, until it is asked for. Owned, or NULL. */
    PyObject *outcomes;    /* (number, exception type) -> number, a dict. Owned, or NULL. */
    uint64_t metadata_lost; /* how often metadata could not be noted, */
    PyObject *metadata_error; /* and why at first: a str. Owned, or NULL. */
    uint64_t unmatched; /* exits in this run that found no entry */
    uint64_t moved;     /* calls that another thread left than had entered them */
    double scale;           /* ns per tick of the statistics that were taken last, */
    uint64_t scaled_run, scaled_calls; /* and the calls that these were of */
    uint64_t lines_lost_before; /* sp_lost_lines() when the run began */
    sp_mutex lock;  /* regions, names, cache, threads */
    sp_quantities quantities; /* what its calls do work in */
    uint64_t work_lost;       /* how often that found no open call, or too many quantities */
    sp_quantities counters;   /* what has values over time */
    uint64_t counters_lost;   /* values of further counters */
} sp_manager;

/* Whether code of ours is under way (callout.h), of which this manager records nothing. */
SP_INLINE bool sp_unrecorded_for(const sp_manager *manager)
{
    return SP_UNLIKELY(sp_here.unrecorded != 0) && !manager->calibrates;
}

/* What is due after a call has changed. Under the lock, or under stop. */
SP_INLINE void sp_manager_set_due(sp_manager *manager)
{
    SP_STORE(&manager->after_call_due, manager->slow_pending != 0 ? 0 : manager->checkpoint_due);
}

/* Around Python that runs while a region of the manager is borrowed: none is forgotten meanwhile.
 * Without the GIL none ever is. */
SP_INLINE void sp_lend_regions(sp_manager *manager)
{
#ifdef Py_GIL_DISABLED
    (void)manager;
#else
    manager->lent++;
#endif
}

SP_INLINE void sp_take_back_regions(sp_manager *manager)
{
#ifdef Py_GIL_DISABLED
    (void)manager;
#else
    manager->lent--;
#endif
}

#endif
