/* What each thread has taken and given back, and how much of it at most since something began.
 *
 * Only the thread itself counts here, so that takes no lock. Its record is found without the GIL by the
 * one pointer that a thread has of its own; one that ends leaves its record to the next. */
#ifndef SP_THREAD_MEMORY_H
#define SP_THREAD_MEMORY_H

#include "base/local.h"
#include "memory/resident.h"

/* So many bytes, in so many blocks. A block that is moved or resized is given back and taken. */
typedef struct {
    uint64_t allocated, freed;   /* bytes, */
    uint64_t allocations, frees; /* and blocks */
} sp_memory_counts;

/* A call or line that is open, from which memory is measured. */
typedef struct sp_memory_mark {
    struct sp_thread_memory *thread;      /* which takes the memory */
    struct sp_memory_mark *below, *above; /* of those of the thread, by when they began */
    uint32_t number;
    sp_memory_counts before;
    int64_t high; /* the most that the thread had between the mark below and this one */
} sp_memory_mark;

typedef struct sp_thread_memory {
    sp_memory_counts counts;
    int64_t high;                  /* the most it had since the top mark, allocated less freed */
    sp_resident_reading resident;  /* what it read last of the process */
    bool inside;                   /* an allocator is under way, which may ask another one */
    bool used;                     /* by a thread */
    sp_memory_mark *top, *unused;  /* marks; the unused ones are linked by `below` */
    struct sp_thread_memory *next; /* of all that there ever were */
} sp_thread_memory;

SP_INLINE int64_t sp_memory_net(const sp_memory_counts *counts)
{
    return (int64_t)(counts->allocated - counts->freed);
}

SP_INLINE void sp_memory_took(sp_thread_memory *mine, size_t size)
{
    mine->counts.allocated += size;
    mine->counts.allocations++;
    int64_t net = sp_memory_net(&mine->counts);
    if (net > mine->high)
        mine->high = net;
}

SP_INLINE void sp_memory_gave_back(sp_thread_memory *mine, size_t size)
{
    mine->counts.freed += size;
    mine->counts.frees++;
}

/* This thread's record, made when missing; NULL when memory is out. */
sp_thread_memory *sp_thread_memory_here(void);

/* What was measured from a mark on: `peak` is the most that the thread had more than at the mark. */
typedef struct {
    sp_memory_counts counts;
    uint64_t peak;
} sp_memory_span;

SP_INLINE void sp_memory_span_add(sp_memory_span *sum, const sp_memory_span *span)
{
    sum->counts.allocated += span->counts.allocated;
    sum->counts.freed += span->counts.freed;
    sum->counts.allocations += span->counts.allocations;
    sum->counts.frees += span->counts.frees;
    if (span->peak > sum->peak)
        sum->peak = span->peak;
}

/* Measure from now on; 0 when memory is out. Marks end in any order. */
uint32_t sp_memory_mark_begin(void);
/* The numbers may be 0. */
void sp_memory_mark_drop(uint32_t number);
/* False when nothing was measured: there was no memory, or another thread ends it. */
bool sp_memory_mark_end(uint32_t number, sp_memory_span *span);

#endif
