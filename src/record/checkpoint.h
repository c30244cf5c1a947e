/* The state of a run is written to its journal from time to time: by a call that has ended, in its thread, as
 * no thread and no signal of ours is in the program. */
#ifndef SP_CHECKPOINT_H
#define SP_CHECKPOINT_H

#include "base/clock.h"
#include "record/manager.h"

#define SP_NEVER UINT64_MAX

/* Checkpoints of the run that begins, the first after a tenth of a second; or none. */
void sp_checkpoint_begin(sp_manager *manager, bool wanted);

/* Make one if it is due. See sp_after_call(). */
void sp_checkpoint_make(sp_manager *manager, uint64_t now);

#endif
