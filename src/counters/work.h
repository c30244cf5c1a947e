/* The work that calls did, as the program says it: sums by the number of their quantity. */
#ifndef SP_WORK_H
#define SP_WORK_H

#include "counters/quantities.h"

typedef struct {
    uint32_t known;             /* bit i: something of quantity i was added, */
    double sums[SP_QUANTITIES]; /* and how much */
} sp_work;

SP_INLINE void sp_work_add(sp_work *work, uint32_t quantity, double amount)
{
    work->known |= UINT32_C(1) << quantity;
    work->sums[quantity] += amount;
}

SP_INLINE void sp_work_merge(sp_work *into, const sp_work *from)
{
    into->known |= from->known;
    for (uint32_t i = 0; i < SP_QUANTITIES; i++)
        into->sums[i] += from->sums[i];
}

#endif
