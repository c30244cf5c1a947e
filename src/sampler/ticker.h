/* One tick of the sampler: every thread of the interpreter is looked at, and counted. Where it gets the
 * stack of a thread from is in sampler.h. */
#ifndef SP_TICKER_H
#define SP_TICKER_H

#include "sampler/sampled_thread.h"

typedef struct {
    const sp_manager *manager;  /* Not followed but by peek.h: it may be gone. */
    uint64_t run;               /* of the manager */
    uint64_t interval;          /* between ticks, in nanoseconds */
    bool processor;             /* samples are of processor time */
    const PyThreadState *known; /* the oldest thread, which is the main one */
    const PyInterpreterState *interpreter;
    sp_samples samples;
    sp_state_copy *states; /* Owned. */
    size_t state_count;
    sp_sampled_thread **threads; /* of `states`, in their order. Owned, and what is in it. */
    size_t thread_count;
    sp_sampled_thread **matched; /* the same while it is made. Owned. */
    sp_stack_copy stack;         /* the one that was read last */
} sp_ticker;

/* Of the interpreter that runs; false when memory is out. To be freed in any case. */
SP_MUST_USE bool sp_ticker_init(sp_ticker *ticker, const sp_manager *manager, uint64_t interval,
                                bool processor);
/* stands_for: of how many intervals it is the only one. */
void sp_ticker_tick(sp_ticker *ticker, uint64_t stands_for);
/* What there is until now, to be freed. */
sp_samples sp_ticker_take(sp_ticker *ticker);
void sp_ticker_free(sp_ticker *ticker);

#endif
