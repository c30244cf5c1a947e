/* What is to be done when a call has ended, in its thread, where Python may run: a checkpoint of the
 * journal, or telling of a call that took too long. Both are rare, and one comparison asks for both. */
#ifndef SP_AFTER_CALL_H
#define SP_AFTER_CALL_H

#include "record/manager.h"

/* Not for the compiler to take as cold: gcc 12 would the whole end of a traced call, which may lead here. */
SP_APART void sp_after_call_slow(sp_manager *manager, uint64_t now);

/* A call ended at that time. The thread is under no guard. */
SP_INLINE void sp_after_call(sp_manager *manager, uint64_t now)
{
    if (SP_UNLIKELY(now >= SP_LOAD(&manager->after_call_due)))
        sp_after_call_slow(manager, now);
}

#endif
