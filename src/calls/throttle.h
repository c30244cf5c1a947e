/* Throttling: a function that has been called often, and took little each time, is counted from then on
 * and no longer timed, where the run asks for that. It is decided for a function as a whole, by all its
 * calls in whichever thread. Shared, as the decisions that have one of these (thread_guard.h). */
#ifndef SP_THROTTLE_H
#define SP_THROTTLE_H

#include "base/compat.h"

/* When: after so many calls that took fewer ticks on average. 0 calls: never. */
typedef struct {
    uint64_t calls, ticks;
} sp_throttle_bound;

/* The calls of one function. */
typedef struct {
    uint64_t calls, ticks; /* that have ended, and what they took in all */
    uint64_t open;         /* that are open; too many where that is not known for sure */
    bool throttled;
} sp_throttle;

/* A call begins. Whether it is to be timed. */
SP_INLINE bool sp_throttle_times(sp_throttle *throttle)
{
    throttle->open += !throttle->throttled;
    return !throttle->throttled;
}

/* A call that was timed has ended. */
SP_INLINE void sp_throttle_note(sp_throttle *throttle, sp_throttle_bound bound, uint64_t ticks)
{
    if (throttle->open-- == 0) /* it began before this was decided, and so may others have */
        throttle->open = UINT64_MAX / 2;
    throttle->calls++;
    throttle->ticks += ticks;
    if (throttle->calls >= bound.calls && throttle->ticks / throttle->calls < bound.ticks)
        throttle->throttled = true;
}

/* Whether no call is timed any more, so that no end of one has to be seen. */
SP_INLINE bool sp_throttle_is_over(const sp_throttle *throttle)
{
    return throttle->throttled && throttle->open == 0;
}

#endif
