/* A thread as the sampler knows it: what it looked like the last time, so that little has to be read again. */
#ifndef SP_SAMPLED_THREAD_H
#define SP_SAMPLED_THREAD_H

#include "sampler/capture.h"
#include "sampler/samples.h"

typedef struct sp_sampled_thread {
    const PyThreadState *state;
    uint64_t native;
    uint32_t number;      /* among those that have samples; UINT32_MAX before */
    sp_capture *asked;    /* or NULL. Owned. */
    uint32_t unanswered;  /* ticks since */
    uint64_t processor;   /* its processor time, in ns, at the last tick, */
    uint64_t owed;        /* and what of it no sample stands for */
    uint64_t waits_since; /* its processor time when it was last seen detached, or UINT64_MAX */
    uint32_t node;        /* of its last sample */
    const sp_thread *record; /* of the run; or NULL */
    int64_t records_known;   /* how many threads the run had when that was looked up */
} sp_sampled_thread;

/* Count a sample of the thread: this stack, at that place. */
void sp_sampled_thread_count(sp_samples *samples, sp_sampled_thread *thread,
                             const sp_stack_copy *stack, sp_place place);
/* Count another one at the same place. */
void sp_sampled_thread_repeat(sp_samples *samples, const sp_sampled_thread *thread);
/* What nodes are called is new. */
void sp_sampled_thread_forget(sp_sampled_thread *thread);

#endif
