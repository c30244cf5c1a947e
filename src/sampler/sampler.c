#define _GNU_SOURCE
#include "sampler/sampler.h"

#include "sampler/capture.h"
#include "sampler/peek.h"
#include "sampler/ticker.h"

bool sp_sampler_init(void) { return sp_peek_init() && sp_capture_init(); }

#ifdef __linux__
#    include <pthread.h>
#    include <stdlib.h>
#    include <sys/prctl.h>
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

/* Somewhere in an interval, anywhere with equal probability (splitmix64): a program that repeats itself in
 * time with the ticks would be seen at one place alone. */
static uint64_t somewhere(sp_sampler *sampler)
{
    uint64_t mixed = sampler->random += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return (mixed ^ mixed >> 31) % sampler->ticker.interval;
}

static void *run(void *argument)
{
    sp_sampler *sampler = argument;
    const uint64_t begun = now();
    prctl(PR_SET_NAME, "scope-sampler");
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_mutex_lock(&sampler->lock);
    for (uint64_t interval = 0; !sampler->stopping; interval++) {
        uint64_t due = begun + interval * sampler->ticker.interval + somewhere(sampler);
        const struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        while (!sampler->stopping && now() < due)
            pthread_cond_timedwait(&sampler->wake, &sampler->lock, &until);
        if (sampler->stopping)
            break;
        uint64_t reached = (now() - begun) / sampler->ticker.interval;
        uint64_t stands_for = reached > interval ? 1 + reached - interval : 1;
        if (reached > interval) {
            if (!sampler->ticker
                     .processor) /* or the threads' clocks tell what they were not asked for */
                sampler->ticker.samples.counts.missed += reached - interval;
            interval = reached;
        }
        sp_ticker_tick(&sampler->ticker, sampler->ticker.processor ? 1 : stands_for);
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
