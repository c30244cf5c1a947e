/* The calls of a run as columns of integers: the threads' logs read, and ticks made nanoseconds. */
#ifndef SP_EVENT_COLUMNS_H
#define SP_EVENT_COLUMNS_H

#include "record/manager.h"

enum { SP_EVENT_COLUMNS = 7 };

/* Region after region: where the calls of each end, by id, and the columns. Begins as zeros. */
typedef struct {
    uint64_t *ends; /* Owned. */
    uint32_t regions;
    PyObject *columns[SP_EVENT_COLUMNS]; /* Owned. */
    const Py_buffer
        *rooms; /* shared mappings of files, where columns go that they are large enough for; or
                 NULL. Borrowed. */
} sp_event_columns;

/* Of one region, or with NULL of all. nodes: how many rows the tree of all threads has, in which each
 * thread's `merged` has the place of its nodes; 0 to leave out the column of nodes. The threads are
 * stopped. -1 with or without an exception set, which says that memory is out. */
SP_MUST_USE int sp_event_columns_gather(sp_manager *manager, const struct sp_region *wanted,
                                        uint32_t nodes, sp_event_columns *events);
/* How many calls each region would have there: by id, which the caller frees; NULL when memory is out. */
uint64_t *sp_event_counts(sp_manager *manager);
/* As _core.Manager._events() gives them. */
PyObject *sp_event_columns_tuple(const sp_event_columns *events);
/* A list of int. */
PyObject *sp_counts_list(const uint64_t *values, uint32_t count);
void sp_event_columns_free(sp_event_columns *events);

#endif
