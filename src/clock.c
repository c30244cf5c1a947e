#include "clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#ifdef _WIN32
#include <windows.h>
#endif

sp_clock_state sp_clock = {.source = SP_CLOCK_MONOTONIC, .ns_per_tick = 1.0};

/* The clock behind time.perf_counter_ns(). */
static uint64_t monotonic_ns(void)
{
#if defined(_WIN32)
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    uint64_t whole = (uint64_t)(count.QuadPart / frequency.QuadPart);
    uint64_t rest = (uint64_t)(count.QuadPart % frequency.QuadPart);
    return whole * 1000000000u + rest * 1000000000u / (uint64_t)frequency.QuadPart;
#elif defined(__APPLE__)
    return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

uint64_t sp_now_slow(void)
{
    return sp_clock.source == SP_CLOCK_FAKE ? sp_clock.fake : monotonic_ns();
}

/* The kernel has watched the counter since boot, on all processors: when it keeps its own time
 * by it, we may too. Where it cannot be asked, the architecture's promise decides. */
static bool counter_is_trusted(void)
{
#if !SP_HAVE_COUNTER
    return false;
#elif defined(__linux__)
    char name[32] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
    if (file == NULL)
        return false;
    bool read = fgets(name, sizeof name, file) != NULL;
    fclose(file);
    return read && (strncmp(name, "tsc", 3) == 0 || strncmp(name, "arch_sys_counter", 16) == 0);
#else
    return false;
#endif
}

/* Both clocks at one instant: the counter is read between two monotonic readings, and the
 * closest of a few tries wins, so that an interruption in between does no harm. */
static void read_both(uint64_t *ticks, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int attempt = 0; attempt < 8; attempt++) {
        uint64_t before = sp_counter(), now = monotonic_ns(), after = sp_counter();
        if (after - before < best) {
            best = after - before;
            *ticks = before + (after - before) / 2;
            *ns = now;
        }
    }
}

void sp_clock_init(void)
{
    sp_clock.ns_per_tick = 1.0;
    sp_clock.anchor_ticks = 0;
    sp_clock.anchor_ns = 0;
    sp_clock.source = SP_CLOCK_MONOTONIC;
    if (counter_is_trusted()) {
        uint64_t ns = 0;
        read_both(&sp_clock.anchor_ticks, &ns);
        sp_clock.anchor_ns = (int64_t)ns;
        sp_clock.source = SP_CLOCK_COUNTER;
        sp_clock_calibrate();
    }
}

void sp_clock_calibrate(void)
{
    if (sp_clock.source != SP_CLOCK_COUNTER)
        return;
    uint64_t ticks = 0, ns = 0;
    read_both(&ticks, &ns);
    if (ticks > sp_clock.anchor_ticks && (int64_t)ns > sp_clock.anchor_ns)
        sp_clock.ns_per_tick = (double)((int64_t)ns - sp_clock.anchor_ns)
                               / (double)(ticks - sp_clock.anchor_ticks);
}

int64_t sp_clock_span_ns(int64_t ticks)
{
    return sp_clock.source == SP_CLOCK_COUNTER ? llrint((double)ticks * sp_clock.ns_per_tick)
                                               : ticks;
}

int64_t sp_clock_instant_ns(uint64_t ticks)
{
    return sp_clock.anchor_ns + sp_clock_span_ns((int64_t)(ticks - sp_clock.anchor_ticks));
}

const char *sp_clock_name(void)
{
    switch (sp_clock.source) {
    case SP_CLOCK_COUNTER:
#if defined(__aarch64__)
        return "cntvct_el0";
#else
        return "rdtsc";
#endif
    case SP_CLOCK_FAKE:
        return "fake";
    default:
        return "monotonic";
    }
}

void sp_clock_fake(uint64_t ns)
{
    sp_clock.source = SP_CLOCK_FAKE;
    sp_clock.fake = ns;
    sp_clock.anchor_ticks = 0;
    sp_clock.anchor_ns = 0;
    sp_clock.ns_per_tick = 1.0;
}

void sp_clock_real(void) { sp_clock_init(); }
