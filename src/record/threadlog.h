/* The log of one thread: a chain of blocks of 16-byte records, one record a call, in the order in which
 * calls end. */
#ifndef SP_THREADLOG_H
#define SP_THREADLOG_H

#include "base/compat.h"

/* A record is the start in ticks, and the duration with the number of the node below it. A
 * duration too long for its 40 bits (some minutes) stands in the record that follows. Node 0, the
 * root, has no calls: a record of it tells of the calls after it. */
typedef struct {
    uint64_t start;
    uint64_t rest;
} sp_record;

enum { SP_NODE_BITS = 24 };
#define SP_LONG_DURATION ((UINT64_C(1) << 40) - 1)
#define SP_NODE_LIMIT (UINT32_C(1) << SP_NODE_BITS)

/* What a record of node 0 says. */
enum {
    SP_RECORD_CONTEXT = 0 << SP_NODE_BITS, /* in which task and with which metadata they are made */
    SP_RECORD_WAIT = 1 << SP_NODE_BITS,    /* how long the next one waited */
    SP_RECORD_THREAD = 2 << SP_NODE_BITS   /* by which thread they are made */
};

typedef struct {
    size_t capacity; /* records that fit */
    size_t used;     /* records that there are, see sp_log_settle() */
    sp_record records[];
} sp_block;

typedef struct {
    sp_record *next, *end; /* in the last block */
    sp_block **blocks;     /* Owned. */
    size_t count, capacity;
    uint64_t context; /* of the calls written now: number of the task << 32 | of the metadata */
    bool waits;       /* how long calls waited is written, too */
    uint64_t dropped; /* calls that found no memory: their statistics are kept, their times not */
    bool on;          /* off: statistics only */
} sp_log;

void sp_log_free(sp_log *log);
/* Make room for three records; false when there is none. */
bool sp_log_extend(sp_log *log);
/* Bring `used` of the last block up to date, before the blocks are read. */
void sp_log_settle(sp_log *log);

SP_NOINLINE void sp_log_append_slow(sp_log *log, uint64_t context, uint64_t start,
                                    uint64_t ticks, uint32_t node);
/* The call that is written next has waited so long. */
void sp_log_wait(sp_log *log, uint64_t ticks);
/* The calls written from now on are of the thread with this number; false when memory is out. */
SP_MUST_USE bool sp_log_thread(sp_log *log, int64_t number);

/* Write one call. */
SP_INLINE void sp_log_append(sp_log *log, uint64_t context, uint64_t start, uint64_t ticks,
                             uint32_t node)
{
    sp_record *record = log->next;
    if (SP_UNLIKELY(record == log->end || ticks >= SP_LONG_DURATION || node >= SP_NODE_LIMIT
                    || context != log->context)) {
        sp_log_append_slow(log, context, start, ticks, node);
        return;
    }
    record->start = start;
    record->rest = ticks << SP_NODE_BITS | node;
    log->next = record + 1;
}

#endif
