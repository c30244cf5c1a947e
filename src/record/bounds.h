/* How much the logs of a run may hold in all, and what is done when they do. */
#ifndef SP_BOUNDS_H
#define SP_BOUNDS_H

#include "base/thread_guard.h"

typedef enum {
    SP_RING,     /* the block that was filled first, of whichever thread, is given up */
    SP_STOP,     /* no more calls are logged until the run starts over */
    SP_AGGREGATE /* nor then */
} sp_on_full;

struct sp_log;

/* Logs refer to it while they live. */
typedef struct sp_bounds {
    uint64_t limit;  /* records for which all blocks together may have room */
    uint64_t taken;  /* and have */
    uint64_t filled; /* blocks that have been filled so far */
    sp_on_full on_full;
    bool full; /* a thread has found no room: threads that begin log nothing */
    struct sp_log *logs;
    uint32_t log_count;
    sp_mutex lock; /* taken under the guard of a thread that records */
} sp_bounds;

/* NULL when memory is out. */
sp_bounds *sp_bounds_new(uint64_t limit, sp_on_full on_full);
/* For how many records a thread that asks for room for so many may have it: a part of the whole, so that
 * others get theirs and a ring loses little at a time. 0 for none. */
size_t sp_bounds_grant(const sp_bounds *bounds, size_t wanted);

#endif
