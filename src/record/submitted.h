/* Work that one thread submits and another does: calls that it makes hang below the regions that were open
 * where it was submitted, in the tree of the thread that does it. */
#ifndef SP_SUBMITTED_H
#define SP_SUBMITTED_H

#include "record/manager.h"

/* What the thread goes back to. */
typedef struct {
    uint64_t run; /* SP_NO_RUN where nothing has changed */
    sp_node *base;
} sp_submitted;

/* Submitted work begins in this thread, which hangs below these regions, the outermost first, and has waited
 * since that time: as a call of the region `queued`, without start and end. Nothing where the thread has calls
 * open, as those are what it hangs below. */
sp_submitted sp_submitted_begin(sp_manager *manager, struct sp_region *const *regions,
                                size_t count, struct sp_region *queued, uint64_t since);
/* It is over. */
void sp_submitted_end(sp_manager *manager, sp_submitted before);

#endif
