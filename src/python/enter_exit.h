/* What a `with` statement calls: __enter__ and __exit__ of a region. */
#ifndef SP_ENTER_EXIT_H
#define SP_ENTER_EXIT_H

#include "python/state.h"
#include "record/region.h"

/* Enter and leave it by `with` in this frame, if it records. */
void sp_region_enter(sp_region *region, const void *frame);
void sp_region_leave(sp_region *region, const void *frame, bool failed);

/* Give a region its two, where it has none; -1 with an exception set. */
SP_MUST_USE int sp_enter_exit_make(sp_region *region);
/* Add the descriptors to the type of regions, which is there, as are theirs; -1 with an exception set. */
int sp_enter_exit_add(const sp_state *state);

#endif
