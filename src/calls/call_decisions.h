/* What every-function tracing has decided about code objects: who wants calls of them, and in which
 * region. It is decided once for each code object and tracing, in Python (_instrument/call_tracing.py),
 * and found by the code's address from then on. All of it is shared (thread_guard.h). */
#ifndef SP_CALL_DECISIONS_H
#define SP_CALL_DECISIONS_H

#include "base/slots.h"
#include "calls/throttle.h"
#include "record/region.h"

/* The tracing of one manager. */
typedef struct sp_tracing {
    struct sp_tracing *next; /* of all */
    sp_manager *manager; /* Borrowed: call_tracing.py ends the tracing of a manager that dies. */
    PyObject *decide; /* of call_tracing.py, see trace_calls(). Owned. */
    PyObject
        *decide_c;    /* the same for C functions (c_calls.c), or NULL: none is wanted. Owned. */
    PyObject *plain;  /* of plain_decision.c, or NULL: Python is always asked. Owned. */
    uint64_t serial;  /* unique in the process, not 0 */
    bool everywhere;  /* not in sections alone */
    uint32_t
        max_depth; /* calls with so many around them are not recorded; UINT32_MAX for no bound */
    sp_throttle_bound throttle; /* from when on calls are counted alone */
    bool notes_pairs; /* which functions have called which */
    sp_map pairs;     /* of call_pairs.c: names of two regions -> both. Owned. */
    sp_map decisions; /* code -> sp_decision. Owned. */
    sp_map c_functions; /* of c_calls.c: definition -> region. Owned. */
    sp_slots suspended; /* frame -> sp_suspended_call. Owned. */
    struct sp_suspended_call *spare; /* a chain of such structs. Owned. */
} sp_tracing;

typedef struct {
    sp_tracing *tracing;
    PyCodeObject *code; /* Borrowed: the decision is forgotten when the code dies. */
    sp_region *region;  /* of the code's calls, or NULL: not wanted. The manager owns it, see
                         * sp_tracing_keep_regions(). */
    bool everywhere;    /* wanted in every call, not in sections alone */
    bool postponed;     /* wanted in sections, and has not been called in one: has no region yet */
    bool c_calls;       /* what it calls of C is wanted: everywhere, or in sections */
    sp_throttle throttle;
    PyObject *watcher; /* weak reference to the code, or NULL where all code is watched. Owned. */
} sp_decision;

/* Whether the events of the code are needed: all, or those of its begin alone. */
SP_INLINE bool sp_decision_wants(const sp_decision *decision)
{
    return decision->region != NULL || decision->postponed;
}
SP_INLINE bool sp_decision_wants_ends(const sp_decision *decision)
{
    return sp_decision_wants(decision) && !sp_throttle_is_over(&decision->throttle);
}

/* Whether the thread is in one of the tracing's sections. */
SP_INLINE bool sp_section_is_open(const sp_tracing *tracing)
{
    for (uint32_t i = 0; i < sp_here.sections.count; i++) {
        if (sp_here.sections.tracings[i] == tracing->serial)
            return true;
    }
    return false;
}

/* Whether as many calls are open in this thread as the tracing may record below each other. */
SP_INLINE bool sp_calls_too_deep(const sp_tracing *tracing)
{
    if (SP_LIKELY(tracing->max_depth == UINT32_MAX) || sp_here.run != tracing->manager->run)
        return false;
    const sp_stack *stack = &sp_here.thread->stack;
    return stack->top - stack->calls >= (ptrdiff_t)tracing->max_depth;
}

enum { SP_DECISIONS = 1024 };

/* The decisions used last; all threads'. */
extern sp_decision *sp_decisions_used[SP_DECISIONS];

extern sp_tracing *sp_tracings; /* all that are on */
/* The one that is on, when it is one, has no bound of depth, throttles nothing and notes no pairs. */
extern sp_tracing *sp_tracing_alone;

SP_INLINE sp_decision **sp_decision_place(const sp_tracing *tracing, const PyCodeObject *code)
{
    uintptr_t mixed = ((uintptr_t)code >> 4) ^ ((uintptr_t)code >> 12) ^ (uintptr_t)tracing->serial;
    return &sp_decisions_used[mixed % SP_DECISIONS];
}

/* Of calls that are recorded wherever they are made, and are one piece, what is decided is their region, as long
 * as the tracing is the only one: here, beside the code, as each line of memory that a call touches is another
 * wait. */
typedef struct {
    const void *key;   /* sp_plain_call_key() of the code; NULL: nothing is here */
    sp_region *region; /* which is plain; without the GIL it was */
    sp_last_edge last;
} sp_plain_call;

enum { SP_PLAIN_CALLS = 4096 };
extern sp_plain_call sp_plain_calls[SP_PLAIN_CALLS];

/* That of generators is another, as there is more to do when one begins. */
SP_INLINE const void *sp_plain_call_key(const PyCodeObject *code, bool suspends)
{
    return (const char *)code + suspends;
}

SP_INLINE sp_plain_call *sp_plain_call_place(const PyCodeObject *code)
{
    uintptr_t mixed = ((uintptr_t)code >> 4) ^ ((uintptr_t)code >> 14);
    return &sp_plain_calls[mixed % SP_PLAIN_CALLS];
}

void sp_plain_call_note(const PyCodeObject *code, bool suspends, sp_region *region);
/* Forget those of all code. */
void sp_plain_calls_forget(void);

/* What has been decided about the code, or NULL. */
sp_decision *sp_decision_find(const sp_tracing *tracing, const PyCodeObject *code);
/* The same, decided now when it has not been, or not for sections and this is one: a call begins in
 * the frame. NULL when it cannot be, or when the tracing is no longer on. */
sp_decision *sp_decide(sp_tracing *tracing, PyCodeObject *code, const void *frame,
                       bool in_section);

SP_INLINE sp_decision *sp_decision_used(const sp_tracing *tracing, const PyCodeObject *code)
{
    sp_decision *used = *sp_decision_place(tracing, code);
    return SP_LIKELY(used != NULL && used->code == code && used->tracing == tracing) ? used : NULL;
}

SP_INLINE sp_decision *sp_decision_of(const sp_tracing *tracing, const PyCodeObject *code)
{
    sp_decision *used = sp_decision_used(tracing, code);
    return SP_LIKELY(used != NULL) ? used : sp_decision_find(tracing, code);
}

/* Ask call_tracing.py: call decide, which is Python code, in a callout. What goes wrong there is shown
 * as Python shows what cannot be raised, and *answer is NULL. False when it is to be asked again:
 * after an interruption, when memory is out, when the tracing has ended meanwhile. */
bool sp_decide_ask(const sp_tracing *tracing, PyObject *decide, PyObject *const *arguments,
                   size_t count, PyObject **answer);

/* Whether the tracing with this number is on. */
bool sp_tracing_is_on(uint64_t serial);
/* Forget every decision of the tracing, or the one about this code. */
void sp_decisions_forget(sp_tracing *tracing);
void sp_decision_forget(sp_tracing *tracing, const PyCodeObject *code);
/* Mark the regions that they name, see sp_tracing_keep_regions(). */
void sp_decisions_keep(const sp_tracing *tracing);
/* The manager could not be given a call that it wants. */
void sp_calls_lost(sp_manager *manager);

/* Be told of the end of code, while a tracing is on. */
void sp_decisions_watch(void);
void sp_decisions_unwatch(void);
int sp_decisions_init(void);

#endif
