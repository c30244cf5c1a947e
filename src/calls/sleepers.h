/* Generators' calls in every-function tracing, from their first suspension to their end. A sleeper
 * is found by the address of its frame, which lies in the generator and stays where it is.
 *
 * That a generator is closed is an event like any other, but for CPython 3.13.0 to 3.13.9
 * (python/cpython#140373), where one that is closed at a `yield` outside of any `try` and `with`
 * goes without a word. There a weak reference tells of its death. */
#ifndef SP_SLEEPERS_H
#define SP_SLEEPERS_H

#include "calls/call_decisions.h"
#include "record/stepped.h"

#define SP_SILENT_CLOSE (PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000)

typedef struct sp_sleeper {
    sp_stepped call;
    uint64_t until; /* when it fell asleep last */
    sp_tracing *tracing;
    sp_region *region; /* the manager owns it, at least until it leaves the call's run */
    sp_thread *thread; /* that ran the last step */
    const void *frame;
    const PyCodeObject *code; /* an identity */
#if SP_SILENT_CLOSE
    PyObject *watcher; /* weak reference to the generator, or NULL. Owned. */
    bool is_silent;    /* where it sleeps now, it can be closed without a word */
#endif
} sp_sleeper;

/* The sleeper of this frame that runs this code, or NULL. */
sp_sleeper *sp_sleeper_find(sp_tracing *tracing, const void *frame, const PyCodeObject *code);
SP_INLINE sp_sleeper *sp_sleeper_of(sp_tracing *tracing, const void *frame,
                                    const PyCodeObject *code)
{
    sp_sleeper *latest = tracing->latest;
    if (SP_LIKELY(latest != NULL && latest->frame == frame && latest->code == code))
        return latest;
    return tracing->sleepers == 0 ? NULL : sp_sleeper_find(tracing, frame, code);
}

/* A new one, in its first step; NULL when memory is out. */
sp_sleeper *sp_sleeper_new(sp_tracing *tracing, const void *frame, const PyCodeObject *code,
                           const sp_open_call *open);
/* Its call is over; one of an earlier run is none of this. */
void sp_sleeper_end(sp_sleeper *sleeper, uint64_t now, bool failed);
void sp_sleeper_forget(sp_sleeper *sleeper);
/* The frame is new: who slept at its address has died without our being told. */
void sp_sleeper_replaced(sp_tracing *tracing, const void *frame);
/* Every call that sleeps is over. */
void sp_sleepers_end(sp_tracing *tracing);

#if SP_SILENT_CLOSE
/* The frame's generator fell asleep, at a `yield` where it can be closed silently, or not. */
void sp_sleepers_watch(const void *frame, const PyCodeObject *code, bool is_silent);
#endif
int sp_sleepers_init(void);

#endif
