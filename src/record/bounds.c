#include "record/bounds.h"

#include "base/heap.h"

enum { SHARES = 8, LEAST_RECORDS = 8 };

sp_bounds *sp_bounds_new(uint64_t limit, sp_on_full on_full)
{
    sp_bounds *bounds = sp_calloc(1, sizeof *bounds);
    if (bounds != NULL) {
        bounds->limit = limit;
        bounds->on_full = on_full;
    }
    return bounds;
}

size_t sp_bounds_grant(const sp_bounds *bounds, size_t wanted)
{
    uint64_t left = bounds->taken < bounds->limit ? bounds->limit - bounds->taken : 0;
    uint64_t share =
        bounds->limit / ((uint64_t)SHARES * (bounds->log_count + (bounds->log_count == 0)));
    if (share < LEAST_RECORDS)
        share = LEAST_RECORDS;
    if (wanted > share)
        wanted = (size_t)share;
    if (wanted > left)
        wanted = (size_t)left;
    return wanted < LEAST_RECORDS ? 0 : wanted;
}
