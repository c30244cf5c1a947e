/* The state of a run is written to its journal from time to time: by a call that has ended, in its thread, as
 * no thread and no signal of ours is in the program. */
#ifndef SP_CHECKPOINT_H
#define SP_CHECKPOINT_H

#include "base/clock.h"
#include "record/manager.h"

#define SP_NEVER UINT64_MAX

/* Checkpoints of the run that begins, the first after a tenth of a second; or none. */
void sp_checkpoint_begin(sp_manager *manager, bool wanted);

SP_NOINLINE void sp_checkpoint_make(sp_manager *manager, uint64_t now);

/* A call ended at that time, and the thread may run Python: it is under no guard. */
SP_INLINE void sp_checkpoint(sp_manager *manager, uint64_t now)
{
    if (SP_UNLIKELY(now >= SP_LOAD(&manager->checkpoint_due)))
        sp_checkpoint_make(manager, now);
}

#endif
