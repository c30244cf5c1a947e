/* The open calls of traced functions. The key of one is the address of its frame, made odd, which no
 * other kind of open call has; that of a C function is beside the key of the frame that calls it, as a
 * frame waits for one C function at a time. */
#ifndef SP_TRACED_OPEN_H
#define SP_TRACED_OPEN_H

#include "calls/call_decisions.h"
#include "record/metadata.h"
#include "record/open_call.h"

SP_INLINE const void *sp_calls_key(const void *frame) { return (const char *)frame + 1; }
SP_INLINE const void *sp_c_call_key(const void *frame) { return (const char *)frame + 3; }

SP_INLINE bool sp_traced_is(const sp_open_call *open) { return ((uintptr_t)open->key & 1) != 0; }
SP_INLINE bool sp_c_call_is(const sp_open_call *open) { return ((uintptr_t)open->key & 3) == 3; }

/* This thread's call with the key that is not on top, or that began before its thread had a context. */
sp_open_call *sp_traced_open_below(sp_thread *thread, const void *key);

/* This thread's call with the key; NULL when it has none. */
SP_INLINE sp_open_call *sp_traced_open(const sp_tracing *tracing, const void *key)
{
    sp_manager *manager = tracing->manager;
    if (SP_UNLIKELY(sp_here.run != manager->run && !sp_thread_record_find(manager)))
        return NULL;
    sp_thread *thread = sp_here.thread;
    return SP_LIKELY(thread->stack.top->key == key) ? thread->stack.top
                                                    : sp_traced_open_below(thread, key);
}

/* A call of a region that is plain begins, traced by the only tracing. Without the GIL it may be so no longer. */
SP_INLINE void sp_traced_enter_plain(sp_region *region, sp_last_edge *last, const void *key)
{
#ifdef Py_GIL_DISABLED
    (void)last;
    if (region->recording)
        sp_open_call_enter(region->manager, region, key, sp_metadata_for(region));
#else
    sp_open_call_enter_by(sp_tracing_alone->manager, region, last, key, SP_NO_ANNOTATION, 0,
                          false);
#endif
}

/* Calls have ended, of whichever tracings: what there is to do after that. The tracings may be others then. */
void sp_traced_ended_slow(void);
SP_INLINE void sp_traced_ended(void)
{
    const sp_tracing *first = sp_tracings; /* nearly always the only one */
    if (SP_UNLIKELY(first != NULL && (first->next != NULL || first->manager->slow_pending != 0)))
        sp_traced_ended_slow();
}

#endif
