#define _GNU_SOURCE
#include "sampler/sampler.h"

#include "sampler/capture.h"
#include "sampler/peek.h"
#include "sampler/ticker.h"

bool sp_sampler_init(void) { return sp_peek_init() && sp_capture_init(); }

#ifdef __linux__
#    include <math.h>
#    include <pthread.h>
#    include <stdlib.h>
#    include <sys/prctl.h>
#    include <sys/syscall.h>
#    include <time.h>
#    include <unistd.h>

struct sp_sampler {
    pid_t process;
    pthread_t thread;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    bool running, stopping;
    uint64_t random;
    sp_ticker ticker;
};

/* ---- Its own thread --------------------------------------------------------------------------- */

static uint64_t now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A number above 0 and up to 1, each as likely as any other (splitmix64). */
static double random_number(sp_sampler *sampler)
{
    uint64_t mixed = sampler->random += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return (double)(((mixed ^ mixed >> 31) >> 11) + 1) * 0x1p-53;
}

/* How long it is to the next tick, in nanoseconds. Of all time: anything, an interval on average, so that
 * every moment is as likely to have a tick as any other, whenever the last one was (a Poisson process).
 * A tick changes what comes after it: it takes a processor from others, and wakes threads by its signals.
 * Were the next one unlikely to come so soon, that would be seen too rarely. Of processor time, where each
 * thread has one sample for each interval that it has used, nearly an interval. */
static uint64_t gap(sp_sampler *sampler)
{
    double intervals =
        sampler->ticker.processor ? 0.5 + random_number(sampler) : -log(random_number(sampler));
    return (uint64_t)(intervals * (double)sampler->ticker.interval);
}

/* Have a processor soon after waking where others have them. Otherwise a tick comes when they let go of one,
 * as the program does where it waits, and these places are seen too often. Linux 6.12 and newer let the thread
 * with the shorter slice go first; older ones take no notice. */
static void ask_for_short_slices(void)
{
    enum { SHORTEST_NS = 100000 };
    struct { /* sched_attr, which not every C library has */
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
        return;
    attributes.size = sizeof attributes;
    attributes.runtime = SHORTEST_NS;
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void *run(void *argument)
{
    sp_sampler *sampler = argument;
    uint64_t due = now() + gap(sampler);
    prctl(PR_SET_NAME, "scope-sampler");
    prctl(PR_SET_TIMERSLACK, 1);
    ask_for_short_slices();
    pthread_mutex_lock(&sampler->lock);
    while (!sampler->stopping) {
        const struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        while (!sampler->stopping && now() < due)
            pthread_cond_timedwait(&sampler->wake, &sampler->lock, &until);
        if (sampler->stopping)
            break;
        uint64_t stands_for = 0;
        for (const uint64_t reached = now(); due <= reached; due += gap(sampler))
            stands_for++;
        if (sampler->ticker.processor) /* the threads' clocks tell what they were not asked for */
            stands_for = 1;
        sampler->ticker.samples.counts.missed += stands_for - 1;
        sp_ticker_tick(&sampler->ticker, stands_for);
    }
    pthread_mutex_unlock(&sampler->lock);
    return NULL;
}

bool sp_sampler_start(sp_sampler *sampler)
{
    sigset_t all, before; /* for the new thread: the program's signals are for its own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sampler->stopping = false;
    sampler->running = pthread_create(&sampler->thread, NULL, run, sampler) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return sampler->running;
}

/* The child of a fork has no such thread, and its locks may be closed. */
static bool is_of_parent(const sp_sampler *sampler) { return sampler->process != getpid(); }

void sp_sampler_stop(sp_sampler *sampler)
{
    if (!sampler->running || is_of_parent(sampler))
        return;
    pthread_mutex_lock(&sampler->lock);
    sampler->stopping = true;
    pthread_cond_signal(&sampler->wake);
    pthread_mutex_unlock(&sampler->lock);
    pthread_join(sampler->thread, NULL);
    sampler->running = false;
}

void sp_sampler_tick(sp_sampler *sampler, uint64_t stands_for)
{
    if (is_of_parent(sampler))
        return;
    pthread_mutex_lock(&sampler->lock);
    sp_ticker_tick(&sampler->ticker, stands_for);
    pthread_mutex_unlock(&sampler->lock);
}

sp_samples sp_sampler_take(sp_sampler *sampler)
{
    if (is_of_parent(sampler))
        return (sp_samples){0};
    pthread_mutex_lock(&sampler->lock);
    sp_samples taken = sp_ticker_take(&sampler->ticker);
    pthread_mutex_unlock(&sampler->lock);
    return taken;
}

/* ---- Life and death --------------------------------------------------------------------------- */

sp_sampler *sp_sampler_new(const sp_manager *manager, uint64_t interval, bool processor)
{
    sp_sampler *sampler = calloc(1, sizeof *sampler);
    if (sampler == NULL)
        return NULL;
    sampler->process = getpid();
    sampler->random = now();
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&sampler->lock, NULL);
    pthread_cond_init(&sampler->wake, &clock);
    pthread_condattr_destroy(&clock);
    if (!sp_ticker_init(&sampler->ticker, manager, interval, processor)) {
        sp_sampler_free(sampler);
        return NULL;
    }
    return sampler;
}

void sp_sampler_free(sp_sampler *sampler)
{
    sp_sampler_stop(sampler);
    if (!is_of_parent(sampler)) {
        sp_ticker_free(&sampler->ticker);
        free(sampler);
    }
}

#else

sp_sampler *sp_sampler_new(const sp_manager *manager, uint64_t interval, bool processor)
{
    (void)manager, (void)interval, (void)processor;
    return NULL;
}
bool sp_sampler_start(sp_sampler *sampler)
{
    (void)sampler;
    return false;
}
void sp_sampler_stop(sp_sampler *sampler) { (void)sampler; }
void sp_sampler_tick(sp_sampler *sampler, uint64_t stands_for)
{
    (void)sampler, (void)stands_for;
}
sp_samples sp_sampler_take(sp_sampler *sampler)
{
    (void)sampler;
    return (sp_samples){0};
}
void sp_sampler_free(sp_sampler *sampler) { (void)sampler; }

#endif
