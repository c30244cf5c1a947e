/* Which record of a run a thread writes to. */
#ifndef SP_THREAD_RECORDS_H
#define SP_THREAD_RECORDS_H

#include "record/manager.h"

/* Make this thread's record of the current run the one at hand. make makes one when
 * there is none yet, and returns NULL when memory is out or nothing is to be recorded now (callout.h),
 * which make_always does not ask; find only finds, and says whether it did. */
sp_thread *sp_thread_record_make(sp_manager *manager);
sp_thread *sp_thread_record_make_always(sp_manager *manager);
bool sp_thread_record_find(sp_manager *manager);

/* The state of this thread in the manager's run; NULL when memory is out. */
SP_INLINE sp_thread *sp_thread_of(sp_manager *manager)
{
    if (SP_LIKELY(sp_here.run == manager->run))
        return sp_here.thread;
    return sp_thread_record_make(manager);
}

/* This thread's record in the manager's run, if it has one. */
SP_INLINE sp_thread *sp_thread_find(sp_manager *manager)
{
    if (SP_UNLIKELY(sp_here.run != manager->run && !sp_thread_record_find(manager)))
        return NULL;
    return sp_here.thread;
}

/* Free a record in which no task is entered. */
void sp_thread_free(sp_thread *thread);

#endif
