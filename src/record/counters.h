/* What a run holds and what it missed. */
#ifndef SP_COUNTERS_H
#define SP_COUNTERS_H

#include "record/manager.h"

typedef struct {
    uint64_t calls, open, threads, lost, dropped, bytes, events, values;
    uint64_t costs[SP_COSTS];
} sp_counters;

/* Lines are missing: memory is out. Of the process. */
void sp_lose_line(void);
uint64_t sp_lost_lines(void);

/* The threads are stopped. */
sp_counters sp_counters_take(sp_manager *manager);
/* As _core.Manager._counters() gives them. */
PyObject *sp_counters_dict(const sp_manager *manager, sp_counters counters);

#endif
