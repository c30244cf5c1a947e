/* A region: one for each (manager, name), shared by everyone who times under that name. So it
 * holds nothing about any one call. */
#ifndef SP_REGION_H
#define SP_REGION_H

#include "record/manager.h"

/* First what every call needs: with many regions each line of memory is another wait. */
typedef struct sp_region {
    PyObject_HEAD
    sp_manager *manager; /* Owned. */
    sp_last_edge last;
    /* What `with` finds as __enter__ and __exit__; NULL until it does. Owned; a cycle. */
    PyObject *enter, *leave;
    bool enabled;   /* its tags let it record in this run */
    bool recording; /* = the manager's, if enabled */
    uint8_t extras; /* what its calls note besides times: SP_LINES_TOO, ... */
    bool decided;   /* call tracing names it; while the manager forgets what nobody holds */
    bool of_function; /* the traced function that stands there has its name, and no other */
    bool
        has_lines; /* line mode has tables or blocks of it, and must be told of its end and theirs */
    int8_t recursive; /* decorated calls trace what they call: 1, not: -1, as the manager says: 0 */
    uint32_t id;    /* in its manager */
    struct sp_line_watch *watches; /* the code whose lines count while it is open */
    PyObject *name;          /* Owned. Not interned: that would keep every name forever on 3.12. */
    PyObject *tags;          /* tuple of str, or NULL for none. Owned. */
    PyObject *source_file;   /* where it was made, or its function is; or NULL. Owned. */
    int source_line;         /* 0 when unknown */
    uint64_t limit; /* ticks from which on a call is told of; 0: not known yet; or SP_NO_LIMIT */
    uint32_t keep_every, keep; /* its own thinning; both 0: that of the run */
    PyObject *source_text;   /* what the user says stands there, or NULL. Owned. */
    PyObject *weakrefs;
    struct sp_line_switch *line_switch; /* its code counts where that is on (line_switch.h); or NULL. Owned. */
} sp_region;

enum {
    SP_LINES_TOO = 1,    /* the manager is in line mode; while recording */
    SP_MEMORY_TOO = 2,   /* memory is measured, */
    SP_METADATA_TOO = 4, /* and calls may have metadata; while recording */
    SP_THINNED = 8,      /* not all of its calls are logged */
    SP_LIMITED = 16      /* those that take long are told of (slow_calls.h) */
};

#define SP_NO_LIMIT UINT64_MAX
/* What there is to do before a block is entered. */
#define SP_AT_ENTRY (SP_LINES_TOO | SP_METADATA_TOO)

/* Recorded, and of its calls times alone. */
SP_INLINE bool sp_region_is_plain(const sp_region *region)
{
    return region->recording && region->extras == 0;
}
/* Called when a region is plain no longer, or last edges are to be forgotten. Or NULL. */
extern void (*sp_regions_changed)(void);

/* Of which of its calls the times are kept: one of `every`, or `keep` of all, the other is 0; false when it is
 * every one. */
bool sp_region_thinning(const sp_region *region, uint32_t *every, uint32_t *keep);

/* In line mode, and recording. */
SP_INLINE bool sp_region_counts_lines(const sp_region *region)
{
    return (region->extras & SP_LINES_TOO) != 0;
}

/* Let go of one that nobody else holds: its __enter__ and __exit__ are a cycle. */
void sp_region_release(sp_region *region);
/* For a manager that is permanent: the region stays as long. Before another thread has it. */
void sp_region_make_permanent(sp_region *region);
/* Take over what the manager says about recording. */
void sp_region_switch(sp_region *region);

#endif
