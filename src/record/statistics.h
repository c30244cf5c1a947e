/* The statistics of a run: the threads' trees put together. The threads are stopped meanwhile. */
#ifndef SP_STATISTICS_H
#define SP_STATISTICS_H

#include "record/load.h"
#include "record/region.h"

/* What open calls have come to is noted in the trees. Returns ns per tick, which stays as it is while no
 * call ends, so that everything that is taken in between agrees. */
double sp_statistics_settle(sp_manager *manager);

/* The trees of all threads as one; NULL when memory is out. The threads keep `merged` until
 * sp_statistics_forget_merged(), which is called before they go on. */
sp_tree *sp_statistics_tree(sp_manager *manager);
void sp_statistics_forget_merged(sp_manager *manager);
void sp_statistics_free_tree(sp_tree *tree);

/* Add what all threads recorded of a region; -1 when memory is out. */
SP_MUST_USE int sp_region_sum_add(sp_manager *manager, const sp_region *region, sp_node *sum,
                                  sp_load *load);

/* The sums of all regions. */
typedef struct {
    uint32_t count;
    sp_node *sums;   /* Owned. */
    sp_load *loads;  /* Owned. */
} sp_region_sums;

/* -1 when memory is out; to be freed all the same. */
SP_MUST_USE int sp_region_sums_take(sp_manager *manager, sp_region_sums *regions);
void sp_region_sums_free(sp_region_sums *regions);

#endif
