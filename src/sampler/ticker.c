#define _GNU_SOURCE
#include "sampler/ticker.h"

#ifdef __linux__
#    include <stdlib.h>
#    include <time.h>

#    include "sampler/peek.h"

enum {
    THREADS_AT_MOST = 4096,
    NAMES_AT_MOST = 1 << 14,
    ATTEMPTS = 3,
    ANSWER_NS = 15000,  /* for so long an answer is waited for at once, */
    ANSWER_TICKS = 1000 /* and after so many ticks no longer */
};

/* ---- Clocks ----------------------------------------------------------------------------------- */

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return UINT64_MAX;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The processor time of a thread; UINT64_MAX when it is over. The clock's number is that of
 * pthread_getcpuclockid(), which may not be asked of a thread that may be over. */
static uint64_t processor_time(uint64_t native)
{
    enum { OF_THREAD = 6 };
    return read_clock((clockid_t)(~(uint32_t)native << 3 | OF_THREAD));
}

/* ---- One thread ------------------------------------------------------------------------------- */

static bool give_number(sp_samples *samples, sp_sampled_thread *thread, uint64_t identifier)
{
    void *array = samples->names;
    if (thread->number != UINT32_MAX)
        return true;
    if (samples->name_count == NAMES_AT_MOST
        || !sp_room_for_one(&array, sizeof *samples->names, samples->name_count,
                            &samples->name_capacity))
        return false;
    samples->names = array;
    samples->names[samples->name_count] = (sp_sampled_name){identifier, thread->native};
    thread->number = samples->name_count++;
    return true;
}

/* Its record of the run is looked up again when there are more of them. */
static const sp_thread *record_of(const sp_ticker *ticker, sp_sampled_thread *thread)
{
    int64_t records;
    if (!sp_peek(&records, &ticker->manager->thread_count, sizeof records))
        return NULL;
    if (records != thread->records_known) {
        thread->record = sp_place_record(ticker->manager, thread->native);
        thread->records_known = records;
    }
    return thread->record;
}

/* No longer wait for its answer. Returns for how many ticks one was waited for. */
static uint32_t release_question(sp_sampled_thread *thread)
{
    uint32_t ticks = thread->asked == NULL ? 0 : 1 + thread->unanswered;
    if (thread->asked != NULL)
        sp_capture_release(thread->asked);
    thread->asked = NULL;
    thread->unanswered = 0;
    return ticks;
}

/* Its answer; false when there is none yet, or it could not be given. A thread that runs answers at once;
 * one that did not run since it was asked was there at every tick since. */
static bool take_answer(sp_ticker *ticker, sp_sampled_thread *thread)
{
    sp_capture_state state = sp_capture_look(thread->asked);
    if (state == SP_WAITING)
        return false;
    if (state == SP_CAPTURED) {
        sp_sampled_thread_count(&ticker->samples, thread, sp_capture_stack(thread->asked),
                                sp_capture_place(thread->asked));
        for (uint32_t tick = 0; tick < thread->unanswered; tick++)
            sp_sampled_thread_repeat(&ticker->samples, thread);
    } else {
        ticker->samples.counts.unreadable += thread->unanswered;
    }
    release_question(thread);
    return state == SP_CAPTURED;
}

/* Ask it, and wait a moment: it may run on another processor. */
static bool ask(sp_ticker *ticker, sp_sampled_thread *thread)
{
    thread->asked = sp_capture_ask(thread->state, thread->native, ticker->run);
    if (thread->asked == NULL)
        return false;
    uint64_t until = read_clock(CLOCK_MONOTONIC) + ANSWER_NS;
    while (sp_capture_look(thread->asked) == SP_WAITING) {
        if (read_clock(CLOCK_MONOTONIC) > until) /* it does not run now, so it answers later */
            return false;
    }
    return take_answer(ticker, thread);
}

static bool is_this(const sp_sampled_thread *thread)
{
    return thread->native == sp_native_thread();
}

/* Whether a sample of it was counted, or will be when it answers. */
static bool sample(sp_ticker *ticker, sp_sampled_thread *thread, sp_state_copy *copy)
{
    sp_samples *samples = &ticker->samples;
    sp_stack_copy *stack = &ticker->stack;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool attached = sp_state_is_attached(copy);
        if (attached && is_this(thread)) {
            if (!sp_stack_copy_own(thread->state, stack))
                return false;
            sp_sampled_thread_count(samples, thread, stack,
                                    sp_place_own(ticker->run, thread->state));
            return true;
        }
        if (!attached && thread->waits_since == thread->processor) {
            sp_sampled_thread_repeat(samples, thread);
            return true;
        }
        thread->waits_since = UINT64_MAX;
        if (!attached && sp_stack_copy_detached(copy, stack)) {
            sp_sampled_thread_count(samples, thread, stack,
                                    sp_place_of(record_of(ticker, thread), &copy->state));
            thread->waits_since = thread->processor;
            return true;
        }
        if (attached && (ask(ticker, thread) || thread->asked != NULL))
            return true;
        if (!sp_state_copy_again(copy))
            return false;
    }
    return false;
}

/* Whether it is to be sampled at this tick: of processor time, when it has used as much. */
static bool is_due(sp_ticker *ticker, sp_sampled_thread *thread)
{
    uint64_t now = processor_time(thread->native);
    if (now == UINT64_MAX)
        return false;
    thread->owed += thread->processor == UINT64_MAX ? 0 : now - thread->processor;
    thread->processor = now;
    if (!ticker->processor)
        return true;
    if (thread->owed < ticker->interval)
        return false;
    ticker->samples.counts.missed += thread->owed / ticker->interval - 1;
    thread->owed %= ticker->interval;
    return true;
}

/* Whether it has been asked at an earlier tick and has not answered yet. due: another sample is. */
static bool is_still_asked(sp_ticker *ticker, sp_sampled_thread *thread, bool due)
{
    if (thread->asked == NULL)
        return false;
    if (!take_answer(ticker, thread) && thread->asked != NULL) {
        thread->unanswered += due;
        if (thread->unanswered == ANSWER_TICKS)
            ticker->samples.counts.unreadable += release_question(thread);
    }
    return thread->asked != NULL;
}

/* ---- All of them ------------------------------------------------------------------------------ */

static void free_thread(sp_sampled_thread *thread)
{
    if (thread->asked != NULL)
        sp_capture_release(thread->asked);
    free(thread);
}

static sp_sampled_thread *new_thread(const sp_state_copy *copy)
{
    sp_sampled_thread *thread = malloc(sizeof *thread);
    if (thread == NULL)
        return NULL;
    thread->state = copy->address;
    thread->native = copy->state.native_thread_id;
    thread->asked = NULL;
    thread->unanswered = 0;
    thread->processor = UINT64_MAX;
    thread->owed = 0;
    thread->record = NULL;
    thread->records_known = -1;
    sp_sampled_thread_forget(thread);
    return thread;
}

static bool is_of(const sp_sampled_thread *thread, const sp_state_copy *copy)
{
    return thread->state == copy->address && thread->native == copy->state.native_thread_id;
}

/* It is over. It may have answered before. */
static void end_thread(sp_ticker *ticker, sp_sampled_thread *thread)
{
    if (thread->asked != NULL && !take_answer(ticker, thread))
        ticker->samples.counts.unreadable += release_question(thread);
    free_thread(thread);
}

/* Bring `threads` in line with `states`. They mostly are: threads begin in front, and end anywhere. */
static void match_threads(sp_ticker *ticker)
{
    sp_sampled_thread **matched = ticker->matched;
    size_t from = 0;
    for (size_t i = 0; i < ticker->state_count; i++) {
        size_t at = from;
        while (
            at < ticker->thread_count
            && (ticker->threads[at] == NULL || !is_of(ticker->threads[at], &ticker->states[i])))
            at++;
        matched[i] =
            at < ticker->thread_count ? ticker->threads[at] : new_thread(&ticker->states[i]);
        if (at < ticker->thread_count) {
            ticker->threads[at] = NULL;
            from = at == from ? at + 1 : from;
        }
    }
    for (size_t at = 0; at < ticker->thread_count; at++) {
        if (ticker->threads[at] != NULL)
            end_thread(ticker, ticker->threads[at]);
    }
    memcpy(ticker->threads, matched, ticker->state_count * sizeof *matched);
    ticker->thread_count = ticker->state_count;
}

static bool are_matched(const sp_ticker *ticker)
{
    bool matched = ticker->thread_count == ticker->state_count;
    for (size_t i = 0; matched && i < ticker->state_count; i++)
        matched = ticker->threads[i] != NULL && is_of(ticker->threads[i], &ticker->states[i]);
    return matched;
}

/* False when they could not be read: threads began and ended meanwhile. */
static bool find_threads(sp_ticker *ticker)
{
    size_t count = 0;
    for (int attempt = 0; count == 0 && attempt < ATTEMPTS; attempt++)
        count = sp_states_copy(ticker->known, ticker->interpreter, ticker->states,
                               ticker->state_count, THREADS_AT_MOST);
    if (count == 0)
        return false;
    ticker->state_count = count;
    if (!are_matched(ticker))
        match_threads(ticker);
    return true;
}

void sp_ticker_tick(sp_ticker *ticker, uint64_t stands_for)
{
    sp_sample_counts *counts = &ticker->samples.counts;
    uint64_t before = counts->samples;
    counts->ticks++;
    if (!find_threads(ticker)) {
        counts->unreadable++;
        return;
    }
    bool asked = false;
    for (size_t i = 0; i < ticker->state_count; i++) {
        sp_sampled_thread *thread = ticker->threads[i];
        sp_state_copy *copy = &ticker->states[i];
        if (thread == NULL || thread->native == 0)
            continue;
        bool due = is_due(ticker, thread);
        if (is_still_asked(ticker, thread, due))
            asked = true;
        else if (due
                 && (!give_number(&ticker->samples, thread, copy->state.thread_id)
                     || !sample(ticker, thread, copy)))
            counts->unreadable++;
        asked |= thread->asked != NULL;
    }
    if (asked || counts->samples != before) {
        counts->stood_for += stands_for;
        counts->squares += stands_for * stands_for;
    }
}

/* ---- Life and death --------------------------------------------------------------------------- */

sp_samples sp_ticker_take(sp_ticker *ticker)
{
    for (size_t i = 0; i < ticker->thread_count; i++) {
        sp_sampled_thread *thread = ticker->threads[i];
        if (thread == NULL)
            continue;
        if (thread->asked != NULL && !take_answer(ticker, thread))
            ticker->samples.counts.missed += release_question(thread);
        sp_sampled_thread_forget(thread);
    }
    sp_samples taken = ticker->samples;
    ticker->samples = (sp_samples){0};
    return taken;
}

/* New threads are put in front of others. */
static const PyThreadState *oldest_thread(PyInterpreterState *interpreter)
{
    PyThreadState *state = PyInterpreterState_ThreadHead(interpreter), *next;
    while ((next = PyThreadState_Next(state)) != NULL)
        state = next;
    return state;
}

bool sp_ticker_init(sp_ticker *ticker, const sp_manager *manager, uint64_t interval,
                    bool processor)
{
    *ticker = (sp_ticker){
        .manager = manager,
        .run = manager->run,
        .interval = interval,
        .processor = processor,
        .interpreter = PyInterpreterState_Get(),
        .known = oldest_thread(PyInterpreterState_Get()),
        .states = calloc(THREADS_AT_MOST, sizeof *ticker->states),
        .threads = calloc(THREADS_AT_MOST, sizeof *ticker->threads),
        .matched = calloc(THREADS_AT_MOST, sizeof *ticker->matched),
    };
    return ticker->states != NULL && ticker->threads != NULL && ticker->matched != NULL;
}

void sp_ticker_free(sp_ticker *ticker)
{
    for (size_t i = 0; i < ticker->thread_count; i++) {
        if (ticker->threads[i] != NULL)
            free_thread(ticker->threads[i]);
    }
    sp_samples_free(&ticker->samples);
    free(ticker->states);
    free(ticker->threads);
    free(ticker->matched);
}

#endif
