/* The sampler: a thread of its own that notes, so many times a second, where every thread of the interpreter
 * is, and counts that (sample_tree.h).
 *
 * It never takes the GIL, runs no Python, touches no reference and waits for no lock that another thread may
 * hold for long. What it reads of the interpreter is copied by the system (peek.h). How it gets the
 * stack of a thread:
 *   attached to the interpreter: the thread copies it itself, in the handler of a signal (capture.h), so it
 *     is the stack of that very instruction, not of the next place where the GIL may be given away;
 *   detached, as it waits: nobody changes its stack, and the sampler copies it;
 *   detached and not run since the last sample, by its processor clock: it is where it was. */
#ifndef SP_SAMPLER_H
#define SP_SAMPLER_H

#include "sampler/samples.h"

typedef struct sp_sampler sp_sampler;

/* A sampler of the manager's run, which has begun. It does not keep the manager. interval: in
 * nanoseconds; processor: of processor time, and not of all. With the GIL. NULL when memory is out. */
sp_sampler *sp_sampler_new(const sp_manager *manager, uint64_t interval, bool processor);
/* Whether samples can be taken here. */
bool sp_sampler_init(void);
/* Begin to sample in a thread of its own; false when there is none to be had. */
SP_MUST_USE bool sp_sampler_start(sp_sampler *sampler);
/* The thread is over when this returns. */
void sp_sampler_stop(sp_sampler *sampler);
/* One tick now, in this thread, the only one of so many intervals. */
void sp_sampler_tick(sp_sampler *sampler, uint64_t stands_for);
/* What there is until now, to be freed; what comes later counts from nothing. */
sp_samples sp_sampler_take(sp_sampler *sampler);
void sp_sampler_free(sp_sampler *sampler);

#endif
