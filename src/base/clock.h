/* The clock: ticks on the recording path, nanoseconds of perf_counter_ns() afterwards.
 *
 * A tick is whatever is cheapest to read and trustworthy here: the processor's time-stamp
 * counter where it is invariant and the kernel itself keeps time by it, else the monotonic
 * clock. Ticks become nanoseconds only when results are taken: then both clocks are read at one
 * instant, and a straight line leads from the reading before to this one. What has been converted
 * once lies on lines that are never moved again, so a call has the same times in every result;
 * and no time is lost calibrating at the start. */
#ifndef SP_CLOCK_H
#define SP_CLOCK_H

#include "base/compat.h"

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#define SP_HAVE_COUNTER 1
/* Not the one of <x86intrin.h>, which takes longer to read than the rest of most files to compile. */
SP_INLINE uint64_t sp_counter(void) { return __builtin_ia32_rdtsc(); }
/* The processor reads its counter as soon as it can, be it before it is done with what was to be done
 * first; not any earlier than this. */
SP_INLINE void sp_counter_wait(void) { __asm__ volatile("lfence" ::: "memory"); }
#elif defined(__aarch64__) && defined(__GNUC__)
#define SP_HAVE_COUNTER 1
SP_INLINE uint64_t sp_counter(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
SP_INLINE void sp_counter_wait(void) { __asm__ volatile("isb" ::: "memory"); }
#else
#define SP_HAVE_COUNTER 0
SP_INLINE uint64_t sp_counter(void) { return 0; }
SP_INLINE void sp_counter_wait(void) {}
#endif

typedef enum { SP_CLOCK_COUNTER, SP_CLOCK_MONOTONIC, SP_CLOCK_FAKE } sp_clock_source;

typedef struct {
    sp_clock_source source;
    uint64_t fake; /* what the fake clock shows: a test moves it, in ns */
} sp_clock_state;

extern sp_clock_state sp_clock;

uint64_t sp_now_slow(void);

/* Ticks now. */
SP_INLINE uint64_t sp_now(void)
{
    if (SP_HAVE_COUNTER && SP_LIKELY(sp_clock.source == SP_CLOCK_COUNTER))
        return sp_counter();
    return sp_now_slow();
}

/* Choose the source and take the first reading; once, when the module is loaded. */
void sp_clock_init(void);
/* Read both clocks, so that all ticks until now can be converted. */
void sp_clock_calibrate(void);
/* What both clocks show now, and what they showed when the module was loaded, for who converts without
 * this file. */
void sp_clock_pair(uint64_t *ticks, int64_t *ns);
void sp_clock_first_pair(uint64_t *ticks, int64_t *ns);
/* An instant on the perf_counter_ns() axis; the duration of what began at `start`; any sum of
 * durations. In ns; instants must be from before the last calibration. */
int64_t sp_clock_instant_ns(uint64_t ticks);
int64_t sp_clock_duration_ns(uint64_t start, uint64_t ticks);
int64_t sp_clock_span_ns(int64_t ticks);
/* The same by a scale that sp_clock_scale() has given. */
int64_t sp_clock_scaled_ns(int64_t ticks, double scale);
/* Nanoseconds per tick, on average since the module was loaded. */
double sp_clock_scale(void);
const char *sp_clock_name(void);

/* The test seam: sp_clock_fake(ns) stops time at ns, sp_clock_real() goes back. */
void sp_clock_fake(uint64_t ns);
void sp_clock_real(void);

#endif
