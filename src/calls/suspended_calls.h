/* Generators' calls in every-function tracing, from their first suspension to their end. One is
 * found by the address of its frame, which lies in the generator and stays where it is.
 *
 * That a generator is closed is an event like any other, but for CPython 3.13.0 to 3.13.9
 * (python/cpython#140373), where one that is closed at a `yield` outside of any `try` and `with`
 * ends without an event. There a weak reference tells of its death: any(), next() and `break` leave such
 * generators, and calls would be missing until another generator takes their place in memory. */
#ifndef SP_SUSPENDED_CALLS_H
#define SP_SUSPENDED_CALLS_H

#include "calls/call_decisions.h"
#include "record/stepped.h"

#define SP_SILENT_CLOSE (PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000)

typedef struct sp_suspended_call {
    struct sp_suspended_call *next; /* while it is a spare one */
    sp_stepped call;
    uint64_t until; /* when it was suspended last */
    sp_tracing *tracing;
    sp_region *region; /* the manager owns it, at least until it leaves the call's run */
    sp_thread *thread; /* that ran the last step */
    const void *frame;
    const PyCodeObject *code; /* an identity */
#if SP_SILENT_CLOSE
    PyObject *watcher; /* weak reference to the generator, or NULL. Owned. */
    bool is_silent;    /* where it is suspended now, it can be closed without an event */
#endif
} sp_suspended_call;

/* The suspended call of this frame that runs this code, or NULL. */
SP_INLINE sp_suspended_call *sp_suspended_call_of(sp_tracing *tracing, const void *frame,
                                                  const PyCodeObject *code)
{
    sp_suspended_call *found = sp_slots_get(&tracing->suspended, frame, NULL);
    return found != NULL && found->code == code ? found : NULL;
}

/* A new one, in its first step; NULL when memory is out. */
sp_suspended_call *sp_suspended_call_new(sp_tracing *tracing, const void *frame,
                                         const PyCodeObject *code,
                                         const sp_open_call *open);
/* Its call is over; one of an earlier run is none of this. */
void sp_suspended_call_end(sp_suspended_call *suspended, uint64_t now, bool failed);
void sp_suspended_call_forget(sp_suspended_call *suspended);
/* The frame is new: the one suspended at its address has died without an event. */
void sp_suspended_call_replaced(sp_tracing *tracing, const void *frame);
/* Every suspended call is over. */
void sp_suspended_calls_end(sp_tracing *tracing);
/* Nothing is kept for more of them: the tracing ends. */
void sp_suspended_calls_free(sp_tracing *tracing);

#if SP_SILENT_CLOSE
void sp_suspended_call_watch_silent(sp_suspended_call *suspended);
#endif
/* It was suspended, at a `yield` where it can be closed silently, or not. */
SP_INLINE void sp_suspended_call_watch(sp_suspended_call *suspended, bool is_silent)
{
#if SP_SILENT_CLOSE
    suspended->is_silent = is_silent;
    if (is_silent && suspended->watcher == NULL)
        sp_suspended_call_watch_silent(suspended);
#else
    (void)suspended, (void)is_silent;
#endif
}
int sp_suspended_calls_init(void);

#endif
