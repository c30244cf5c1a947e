/* Python code that we call in the middle of the user's. Nothing that it calls is recorded, nor prepared
 * for being recorded, in whatever mode: its thread begins no calls and no recorded frames meanwhile.
 * What was open before may end. Everything that could begin asks sp_here.unrecorded where it is not
 * on the hot path, which comes there because the thread uses no run's record. */
#ifndef SP_CALLOUT_H
#define SP_CALLOUT_H

#include "base/thread_guard.h"

SP_INLINE void sp_unrecorded_begin(void)
{
    if (!sp_local_is_mine())
        return; /* such a thread records nothing in any case */
    if (sp_here.unrecorded++ == 0) {
        sp_here.left_run = sp_here.run;
        sp_here.left_thread = sp_here.thread;
    }
    sp_here.run = 0; /* no run's number: the record is looked for (thread_records.c) */
}

SP_INLINE void sp_unrecorded_end(void)
{
    if (sp_here.unrecorded != 0 && --sp_here.unrecorded == 0) {
        sp_here.run = sp_here.left_run;
        sp_here.thread = sp_here.left_thread;
    }
}

/* The same for code that decides something once, on the way of an event. No tool of the user's sees
 * it, the exception that may be under way is not disturbed, none of ours comes out, and it runs at the
 * recursion limit too. Signals wait, as their handlers would run here. What interrupts it all the same
 * is the user's, and raised again where it can be. */
typedef struct {
    PyThreadState *state;
    sp_exception exception; /* what was under way. Owned. */
    int collects;           /* whether garbage collection was on */
    sp_signals signals;
    int remaining;          /* calls to the recursion limit */
    sp_guards_held held;    /* what keeps other threads out */
#if SP_C_RECURSION
    int c_remaining;
#endif
} sp_callout;

void sp_callout_begin(sp_callout *callout);
/* An exception that is set is dropped. */
void sp_callout_end(sp_callout *callout);
/* The same where no Python runs as a rule, so that signals need not be held, which takes two calls of the
 * system. */
void sp_callout_begin_often(sp_callout *callout);
void sp_callout_end_often(sp_callout *callout);

#endif
