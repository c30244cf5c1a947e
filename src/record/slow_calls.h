/* A call that took longer than the limit of its region is told of, by Python code, in its thread, as soon
 * as it has ended. Regions with a limit carry a mark, with which the end of a call compares; those without
 * do not. Whether a region has one is asked after its first call: until then its limit is 0. */
#ifndef SP_SLOW_CALLS_H
#define SP_SLOW_CALLS_H

#include "record/region.h"

/* A call of the thread is over its limit. Under the guard. */
SP_NOINLINE void sp_slow_call_note(sp_thread *thread, sp_slow_call call);

/* A run begins, with or without limits: nothing is known of its regions. Under stop. */
void sp_slow_calls_begin(sp_manager *manager, bool limited);

#endif
