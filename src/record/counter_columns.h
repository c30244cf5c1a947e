/* The values of counters over time as columns: the threads' logs read, and ticks made nanoseconds. */
#ifndef SP_COUNTER_COLUMNS_H
#define SP_COUNTER_COLUMNS_H

#include "record/manager.h"

/* Four columns of one length. Begins as zeros. */
typedef struct {
    size_t count, capacity;
    int64_t *counters, *threads; /* their numbers. Owned. */
    int64_t *times;              /* Owned. */
    double *values;              /* Owned. */
} sp_counter_columns;

/* All that are kept, record by record. The threads are stopped. -1 when memory is out. */
SP_MUST_USE int sp_counter_columns_gather(sp_manager *manager, sp_counter_columns *columns);
/* (names, counters, threads, times, values): a tuple of str, and bytes. */
PyObject *sp_counter_columns_tuple(const sp_manager *manager, const sp_counter_columns *columns);
void sp_counter_columns_free(sp_counter_columns *columns);

#endif
