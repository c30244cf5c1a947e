/* Of which calls of a region a thread keeps the times, where that is not every one. Statistics are of all.
 *
 * One of so many: the first of each. Or so many of all, drawn at random, each as likely as any other: a call
 * gets a random number, which is made of its times, and those with the smallest are the sample (bottom-k
 * sampling; it draws as Vitter's algorithm R does). So samples of several threads are one: the smallest of
 * all. What has been in the sample for a while stays in the log, some K (1 + ln(n / K)) calls of n. */
#ifndef SP_THINNING_H
#define SP_THINNING_H

#include "base/compat.h"

typedef struct sp_thinning {
    uint32_t every; /* one of so many, or 0 */
    uint32_t keep;  /* so many of all, or 0 */
    uint64_t seen;
    uint32_t count, capacity;
    uint64_t *keys; /* of the sample: a heap, the largest first. Owned. */
} sp_thinning;

/* NULL when memory is out. */
sp_thinning *sp_thinning_new(uint32_t every, uint32_t keep);
void sp_thinning_free(sp_thinning *thinning);
/* The random number of a call, by start, ticks and the number of its thread. */
uint64_t sp_thinning_key(uint64_t start, uint64_t ticks, int64_t thread);
/* Put it into the sample, whether it stays there or not; false when it does not. */
bool sp_thinning_offer(sp_thinning *thinning, uint64_t key);
/* The largest number in the sample of all that were offered. */
uint64_t sp_thinning_limit(const sp_thinning *thinning);
/* Whether the call, which is over, is kept. */
bool sp_thinning_keeps(sp_thinning *thinning, uint64_t start, uint64_t ticks, int64_t thread);

#endif
