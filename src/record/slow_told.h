/* Telling of a call that took longer than the limit of its region, with its metadata and what ran inside it.
 * The log has that as calls that began and ended meanwhile, at nodes below that of the call. */
#ifndef SP_SLOW_TOLD_H
#define SP_SLOW_TOLD_H

#include "record/slow_calls.h"

/* Tell of the call that this thread has noted, if any: by manager->on_slow, where Python may run. */
void sp_slow_told(sp_manager *manager);

#endif
