/* Every-function tracing: while it is on, each call of a Python function that is wanted is a call of
 * a region named after the function. One recorder, fed by one of two back-ends (calls_monitoring.c,
 * calls_evaluator.c).
 *
 * A *tracing* is one manager's. It has decided about every code object it has met, once, by asking
 * call_tracing.py: not wanted, wanted everywhere, or wanted in traced sections, the
 * decorated calls that ask for it (a section is one thread's). The decision is found by the code's
 * address.
 *
 * A call is an open call like any other, so it nests with `with` blocks and decorated calls. Its
 * key is the address of its frame, made odd, which no other kind of open call has. So leaving needs
 * no look-up in the common case, and a frame that was open before tracing began finds no open call
 * and is passed over. All tables are shared between threads (thread_guard.h). A generator's call is
 * made of its steps, as in stepped.h; between steps it is *suspended*. */
#ifndef SP_CALLS_H
#define SP_CALLS_H

#include "calls/suspended_calls.h"
#include "calls/traced_open.h"
#include "record/after_call.h"

SP_INLINE bool sp_calls_suspends(const PyCodeObject *code)
{
    return (code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) != 0;
}

/* A call begins in this frame. Returns whether somebody wants calls of this code; on 3.11, where the
 * back-end sees to the end itself, whether somebody wants that of this call. */
bool sp_calls_enter_slow(const void *frame, PyCodeObject *code);
SP_INLINE bool sp_calls_enter(const void *frame, PyCodeObject *code)
{
    sp_plain_call *plain = sp_plain_call_place(code);
    if (SP_UNLIKELY(plain->key != sp_plain_call_key(code, false)))
        return sp_calls_enter_slow(frame, code);
    sp_traced_enter_plain(plain->region, &plain->last, sp_calls_key(frame));
    return true;
}

/* The call in this frame is over, or goes to sleep. */
bool sp_calls_leave_slow(const void *frame, PyCodeObject *code, sp_outcome how);
SP_INLINE bool sp_calls_leave(const void *frame, PyCodeObject *code, sp_outcome how)
{
    const sp_tracing *tracing = sp_tracing_alone;
    if (SP_UNLIKELY(tracing == NULL || sp_calls_suspends(code)))
        return sp_calls_leave_slow(frame, code, how);
    if (SP_LIKELY(sp_here.run == tracing->manager->run
                  && sp_here.thread->stack.top->key == sp_calls_key(frame))) {
        sp_manager *manager = tracing->manager; /* `tracing` may be gone after a checkpoint */
        sp_node_fetch(sp_here.thread->stack.top->node);
        uint64_t now = sp_now();
        sp_open_call_leave(manager, sp_here.thread->stack.top->region, sp_calls_key(frame), now,
                           how == SP_STEP_FAILS, SP_TRACED);
        sp_after_call(manager, now);
        return true;
    }
    const sp_decision *used = sp_decision_used(tracing, code);
    bool outside = !tracing->everywhere && !sp_section_is_open(tracing);
    if (outside && used != NULL) /* a call that ends outside of sections has begun there */
        return sp_decision_wants(used);
    return sp_calls_leave_slow(frame, code, how);
}

/* A step of the generator in this frame is over. */
bool sp_calls_leave_step(sp_tracing *tracing, const void *frame, const PyCodeObject *code,
                         sp_outcome how);
/* It goes on. */
bool sp_calls_wake(const void *frame, PyCodeObject *code);
/* The call that began in this frame never ran. */
void sp_calls_cancel(const void *frame);

#endif
