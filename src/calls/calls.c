#include "calls/calls.h"

#include "base/thread_guard.h"
#include "calls/c_calls.h"
#include "calls/call_pairs.h"
#include "lines/lines_watch.h"

/* A call, or a step of one, begins. False when the tracing is over now: Python runs where a thread
 * begins to record, and may where metadata are noted. */
static bool enter(sp_tracing *tracing, sp_region *region, const void *frame, bool annotated)
{
    uint64_t serial = tracing->serial;
    sp_manager *manager = tracing->manager;
    sp_annotation annotation = annotated ? sp_metadata_for(region) : SP_NO_ANNOTATION;
    sp_open_call_enter(manager, region, sp_calls_key(frame), annotation);
    bool is_on = sp_tracing_is_on(serial);
    if (SP_UNLIKELY(is_on && tracing->notes_pairs))
        sp_call_pairs_note(tracing, sp_calls_key(frame));
    return is_on;
}

/* Not generators: their calls are made of steps, between which they wait. */
static bool throttles(const sp_tracing *tracing, const PyCodeObject *code)
{
    return tracing->throttle.calls != 0 && !sp_calls_suspends(code);
}

/* A generator begins in this frame. False when the tracing is over now: metadata may end with the call that was
 * suspended there, and Python run. */
static bool replace(sp_tracing *tracing, const void *frame)
{
    uint64_t serial = tracing->serial;
    sp_suspended_call_replaced(tracing, frame);
    return sp_tracing_is_on(serial);
}

static bool enter_in_each(const void *frame, PyCodeObject *code)
{
    bool wanted = false, suspends = sp_calls_suspends(code);
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        bool in_section = sp_section_is_open(tracing);
        if (suspends && !replace(tracing, frame))
            return true;
        if (sp_unrecorded_for(tracing->manager)) { /* nor is anything decided now */
            wanted = true;
            continue;
        }
        sp_decision *decision = sp_decision_of(tracing, code);
        bool decides = decision == NULL;
        if (SP_UNLIKELY(decides || (in_section && decision->postponed)))
            decision = sp_decide(tracing, code, frame, in_section);
        if (SP_UNLIKELY(decision == NULL))
            return true; /* the tracing may be gone: the rest of the list is not to be trusted */
        if (decides && SP_MONITORING && sp_line_always_watched != 0)
            sp_line_frame_begins(frame, code, true); /* its own event was not asked for before */
        wanted |= SP_MONITORING ? sp_decision_wants(decision) : sp_decision_wants_ends(decision);
        sp_region *region = decision->region;
        if (region == NULL || !region->recording || !(decision->everywhere || in_section)
            || sp_calls_too_deep(tracing))
            continue;
        if (throttles(tracing, code) && !sp_throttle_times(&decision->throttle))
            sp_open_call_count_only(tracing->manager, region);
        else if (!enter(tracing, region, frame, true))
            return true;
    }
    return wanted;
}

bool sp_calls_enter_slow(const void *frame, PyCodeObject *code)
{
    bool suspends = sp_calls_suspends(code);
    if (suspends && sp_tracing_alone != NULL && !replace(sp_tracing_alone, frame))
        return true;
    sp_plain_call *plain = sp_plain_call_place(code);
    if (plain->key == sp_plain_call_key(code, true)) {
        sp_traced_enter_plain(plain->region, &plain->last, sp_calls_key(frame));
        return true;
    }
    const sp_tracing *tracing = sp_tracing_alone;
    const sp_decision *used = tracing == NULL ? NULL : sp_decision_used(tracing, code);
    if (used == NULL)
        return enter_in_each(frame, code);
    if (!used->everywhere && !sp_section_is_open(tracing))
        return sp_decision_wants(used);
    sp_region *region =
        used->region; /* `used` and `tracing` may be gone when metadata are noted */
    if (region == NULL)
        return used->postponed && enter_in_each(frame, code);
    if (used->everywhere && sp_region_is_plain(region))
        sp_plain_call_note(code, suspends, region);
    if (region->recording)
        sp_open_call_enter(region->manager, region, sp_calls_key(frame), sp_metadata_for(region));
    return true;
}

/* Whether a tracing wants ends of calls of the code, or has not decided yet. */
static bool is_wanted(const PyCodeObject *code)
{
    for (const sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        const sp_decision *decision = sp_decision_of(tracing, code);
        if (decision == NULL || sp_decision_wants_ends(decision))
            return true;
    }
    return false;
}

static bool wake_in_each(const void *frame, const PyCodeObject *code)
{
    bool wanted = false;
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        sp_suspended_call *suspended = sp_suspended_call_of(tracing, frame, code);
        if (suspended == NULL)
            continue;
        wanted = true;
        if (suspended->call.run != tracing->manager->run)
            sp_suspended_call_forget(suspended);
        else if (suspended->region->recording && !enter(tracing, suspended->region, frame, false))
            return true;
    }
    return wanted || is_wanted(code);
}

bool sp_calls_wake(const void *frame, PyCodeObject *code)
{
    sp_tracing *tracing = sp_tracing_alone;
    const sp_suspended_call *suspended =
        tracing == NULL ? NULL : sp_suspended_call_of(tracing, frame, code);
    if (suspended == NULL || suspended->call.run != tracing->manager->run
        || !sp_region_is_plain(suspended->region))
        return wake_in_each(frame, code);
    sp_traced_enter_plain(suspended->region, &suspended->region->last, sp_calls_key(frame));
    return true;
}

/* The call on top is a step of this one, which is over. */
static void pause_step(sp_suspended_call *suspended, const sp_open_call *open, uint64_t now)
{
    sp_guard_take();
    open = sp_open_call_pop(suspended->tracing->manager, open->region, open->key, now);
    sp_stepped_pause(&suspended->call, sp_here.thread, open, now, SP_TRACED_STEP);
    suspended->thread = sp_here.thread;
    suspended->until = now;
    sp_guard_release();
}

/* A step is over after which a generator goes on that has done so before, where one tracing is on: nearly
 * all are. False when it is another. */
static bool pause_again(const void *frame, const PyCodeObject *code, sp_outcome how)
{
    sp_tracing *tracing = sp_tracing_alone;
    if (tracing == NULL || sp_here.run != tracing->manager->run
        || sp_here.thread->stack.top->key != sp_calls_key(frame))
        return false;
    sp_suspended_call *suspended = sp_suspended_call_of(tracing, frame, code);
    if (suspended == NULL)
        return false;
    pause_step(suspended, sp_here.thread->stack.top, sp_now());
    sp_suspended_call_watch(suspended, how == SP_STEP_SILENT);
    return true;
}

static bool goes_on(sp_outcome how) { return how == SP_STEP_GOES_ON || how == SP_STEP_SILENT; }

bool sp_calls_leave_step(sp_tracing *tracing, const void *frame, const PyCodeObject *code,
                         sp_outcome how)
{
    uint64_t now = sp_now();
    sp_suspended_call *suspended = sp_suspended_call_of(tracing, frame, code);
    sp_open_call *open = sp_traced_open(tracing, sp_calls_key(frame));
    if (open != NULL && suspended == NULL) {
        if (goes_on(how))
            suspended = sp_suspended_call_new(tracing, frame, code, open);
        if (suspended == NULL) { /* it ends in its first step, or memory is out */
            sp_here.thread->lost += goes_on(how);
            sp_open_call_leave(tracing->manager, open->region, open->key, now,
                               how == SP_STEP_FAILS, SP_TRACED);
            return true;
        }
    }
    if (open != NULL)
        pause_step(suspended, open, now);
    if (suspended != NULL && goes_on(how))
        sp_suspended_call_watch(suspended, how == SP_STEP_SILENT);
    else if (suspended != NULL)
        sp_suspended_call_end(suspended, now, how == SP_STEP_FAILS);
    return open != NULL || suspended != NULL;
}

bool sp_calls_leave_slow(const void *frame, PyCodeObject *code, sp_outcome how)
{
    bool wanted = false, suspends = sp_calls_suspends(code);
    if (suspends && goes_on(how) && pause_again(frame, code, how))
        return true;
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        sp_c_call_end_stale(tracing, frame);
        if (SP_UNLIKELY(suspends)) {
            wanted |= sp_calls_leave_step(tracing, frame, code, how);
            continue;
        }
        sp_decision *throttled = throttles(tracing, code) ? sp_decision_of(tracing, code) : NULL;
        if (throttled != NULL && sp_throttle_is_over(&throttled->throttle))
            continue;
        const sp_open_call *open = sp_traced_open(tracing, sp_calls_key(frame));
        if (SP_LIKELY(open != NULL)) {
            uint64_t now = sp_now();
            if (throttled != NULL)
                sp_throttle_note(&throttled->throttle, tracing->throttle, now - open->start);
            sp_open_call_leave(tracing->manager, open->region, open->key, now,
                               how == SP_STEP_FAILS, SP_TRACED);
            wanted = true;
        }
    }
    wanted = SP_LIKELY(wanted) || is_wanted(code);
    sp_traced_ended();
    return wanted;
}

void sp_calls_cancel(const void *frame)
{
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        sp_guard_take();
        const sp_open_call *open = sp_traced_open(tracing, sp_calls_key(frame));
        if (open != NULL)
            sp_node_end(
                sp_open_call_pop(tracing->manager, open->region, open->key, open->start)->node);
        sp_guard_release();
    }
}
