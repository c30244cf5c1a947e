/* One profiling manager: its regions by name, and the threads of its current run. The life cycle
 * (options, files, reports) is Python, in scope_profiler/manager.py, on top of this type. */
#ifndef SP_MANAGER_H
#define SP_MANAGER_H

#include "base/known.h"
#include "base/table.h"
#include "python/state.h"
#include "record/thread.h"

struct sp_region;

#define SP_NO_RUN UINT64_MAX /* not 0: that is what a thread has before its first recording */

typedef struct sp_manager {
    PyObject_HEAD
    sp_state *state;
    PyObject *weakrefs;
    PyTypeObject *region_type; /* what new regions are made of. Owned. */
    PyObject *opener;          /* the callable profile_region. Owned; made when first asked for. */
    PyObject *arm;             /* called with a code object new to line mode, or NULL. Owned. */
    sp_names names;            /* text -> region, borrowed from `regions` */
    struct sp_region **regions; /* by id. Owned, and so is every reference in it. */
    uint32_t region_count, region_capacity;
    sp_known known;            /* the same by the address of the name */
    uint32_t lent; /* how often regions are borrowed by what may run Python meanwhile */
    uint64_t run;   /* number of the current run; unique in the process, or SP_NO_RUN */
    bool recording; /* a run is on and not paused */
    bool leaving;   /* calls were open when recording stopped last: they end all the same */
    bool events;    /* it logs every call, not statistics alone */
    bool lines;     /* it is in line mode */
    bool selective; /* regions without tags do not record */
    struct sp_metadata_scope_object *waiting; /* entered without a run, newest first. Borrowed. */
    bool scoped;    /* a metadata scope has been entered, and may be open */
    bool annotated; /* its calls may have metadata */
    bool calibrates; /* it measures what recording costs, and records where others do not (aside.h) */
    PyObject *on_thread; /* called in each thread that begins to record, or NULL. Owned. */
    int64_t thread_count; /* that have recorded in this run */
    size_t unswept;       /* threads that began since free records were looked for last, */
    size_t busy;          /* records that were in use then, */
    sp_thread *spare;     /* and the first that was free and still is */
    uint32_t lane_count; /* tasks and greenlets of this run */
    bool waits;          /* it is recorded how long each call waited */
    int8_t recursive; /* 1: decorated calls trace what they call, unless their regions say no */
    sp_map threads; /* serial number -> sp_thread, of this run. Owned. */
    PyObject *annotations; /* metadata of the run, by number less one: a list. Owned, or NULL. */
    PyObject *outcomes;    /* (number, exception type) -> number, a dict. Owned, or NULL. */
    uint64_t metadata_lost; /* how often metadata could not be noted, */
    PyObject *metadata_error; /* and why at first: a str. Owned, or NULL. */
    uint64_t unmatched; /* exits in this run that found no entry */
    uint64_t moved;     /* calls that another thread left than had entered them */
    double scale;           /* ns per tick of the statistics that were taken last, */
    uint64_t scaled_run, scaled_calls; /* and the calls that these were of */
    uint64_t lines_lost_before; /* sp_lines_lost() when the run began */
    sp_mutex lock;  /* regions, names, known, threads */
} sp_manager;

/* Whether code of ours is under way (aside.h), of which this manager records nothing. */
SP_INLINE bool sp_unrecorded_for(const sp_manager *manager)
{
    return SP_UNLIKELY(sp_here.unrecorded != 0) && !manager->calibrates;
}

/* In attach.c. Make this thread's state of the current run the one at hand. attach makes one when
 * there is none yet, and returns NULL when memory is out or nothing is to be recorded now (aside.h),
 * which attach_always does not ask; return only finds, and says whether it did. */
sp_thread *sp_manager_attach(sp_manager *manager);
sp_thread *sp_manager_attach_always(sp_manager *manager);
bool sp_manager_return(sp_manager *manager);

/* In registry.c. The region of that name, or NULL, with an exception set when it is no name. Borrowed:
 * Python that runs may have it forgotten. */
struct sp_region *sp_manager_find(sp_manager *manager, PyObject *name);
/* The region of that name; made when missing. Borrowed, too; NULL with an exception set. */
struct sp_region *sp_manager_region(sp_manager *manager, PyObject *name);

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

/* Take the regions that nobody holds out of the manager: its run has been left, under shared and stop.
 * The others have new numbers. */
typedef struct {
    struct sp_region **regions; /* Owned, and so is every reference in it. */
    uint32_t count;
} sp_left_regions;
sp_left_regions sp_manager_leave_regions(sp_manager *manager);
/* Objects of the user's may die here, and Python run: no thread is stopped any more. */
void sp_left_regions_free(sp_left_regions *left);

#endif
