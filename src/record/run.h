/* The end of a run: what it leaves behind. */
#ifndef SP_RUN_H
#define SP_RUN_H

#include "record/annotations.h"

typedef struct {
    sp_map threads;
    sp_bounds *bounds;
    sp_left_annotations annotations;
    sp_block_store *blocks; /* of the logs, or NULL. Owned. */
} sp_left_run;

/* The run goes on with nothing recorded, but for the calls that are open: they count where they end. The
 * threads are stopped. */
void sp_run_start_over(sp_manager *manager);
/* The run is the manager's no longer, and nobody records in it. The threads are stopped. */
sp_left_run sp_run_leave(sp_manager *manager);
/* Objects of the user's may die here, and Python run: no thread is stopped any more. */
void sp_left_run_free(sp_left_run *left);

#endif
