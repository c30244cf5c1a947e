/* The log of one thread: a chain of blocks of 16-byte records, one record a call, in the order in which
 * calls end. */
#ifndef SP_THREADLOG_H
#define SP_THREADLOG_H

#include "record/bounds.h"
#include "record/thinning.h"

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

/* What a record of node 0 says. None is 0, so `rest` of a whole record never is: it is written last, and
 * where blocks begin as zeros it tells how far a log goes whose thread was killed. */
enum {
    SP_RECORD_WAIT = 1 << SP_NODE_BITS,   /* how long the next one waited */
    SP_RECORD_THREAD = 2 << SP_NODE_BITS, /* by which thread they are made */
    SP_RECORD_CONTEXT = 3
        << SP_NODE_BITS, /* in which task and with which metadata they are made */
    SP_RECORD_COUNTER = 4 << SP_NODE_BITS /* a counter has a value from then on */
};

/* That of a counter has its number above, and the value as a double in the record that follows. */
enum { SP_COUNTER_SHIFT = SP_NODE_BITS + 8 };
#define SP_RECORD_KIND ((UINT64_C(1) << SP_COUNTER_SHIFT) - 1)

typedef struct {
    sp_record *records; /* The store's. */
    size_t capacity;    /* records that fit */
    size_t used;        /* records that there are, and */
    size_t notes;       /* how many of them are no calls: see sp_log_settle() */
    uint64_t number;    /* within bounds: how many blocks were filled before */
    uint64_t place;     /* where the store has it; means something to the store alone */
} sp_block;

struct sp_log;

/* Where the blocks of logs lie. It outlives the logs that have blocks of it. Called by the thread that
 * writes to the log, without the GIL under its guard; blocks are given back under stop, or when nobody
 * records in the run any longer. */
typedef struct sp_block_store {
    /* Room for about so many records, for at least 3; false when there is none. */
    bool (*take)(struct sp_block_store *store, struct sp_log *log, size_t records,
                 sp_block *block);
    /* Its `used` is final: nothing more is written to the block. */
    void (*full)(struct sp_block_store *store, const struct sp_log *log, const sp_block *block);
    /* Nobody looks at it for now. */
    void (*rest)(struct sp_block_store *store, const sp_block *block);
    void (*give_back)(struct sp_block_store *store, const sp_block *block);
    void (*free)(struct sp_block_store *store); /* when all are given back; or NULL */
    /* Metadata have a number from now on, which contexts name; or NULL. Under shared. */
    void (*noted)(struct sp_block_store *store, uint32_t number, PyObject *entry);
    void (*forget_notes)(struct sp_block_store *store);
} sp_block_store;

/* What a store notes of a log. */
typedef struct {
    uint64_t part;    /* in which part of what it writes the log has blocks, */
    uint64_t ordinal; /* how many there, */
    uint32_t nodes;   /* and how many nodes of the log's thread stand there */
} sp_log_stored;

/* The usual one: memory of the process. */
extern sp_block_store sp_memory_blocks;

/* In place of the number of the metadata: it is asked whether the call is kept. */
#define SP_THINNED_CALL UINT32_MAX

typedef struct sp_log {
    sp_record *next, *end; /* in the last block */
    sp_block *blocks;      /* Owned. */
    size_t count, capacity;
    sp_block_store *store; /* of the blocks. Borrowed. */
    sp_bounds *bounds;     /* of all logs of the run, or NULL. Borrowed. */
    struct sp_log *other, **link; /* in the list of those */
    size_t notes;                 /* in the last block */
    int64_t first;                /* number of the thread whose calls a block begins with, */
    int64_t thread;               /* and of the one that writes now */
    sp_log_stored stored;
    uint64_t context; /* of the calls written now: number of the task << 32 | of the metadata */
    sp_thinning *thinning; /* of the call that is written next, if that is asked; Borrowed; */
    uint32_t annotation;   /* and the number of its metadata */
    uint64_t counted;      /* values of counters there were, also those that are not written */
    bool waits;       /* how long calls waited is written, too */
    uint64_t dropped; /* calls that found no memory: their statistics are kept, their times not */
    uint64_t least;   /* ticks that a call takes which is written, */
    uint64_t shortest; /* and now: UINT64_MAX while there are statistics only */
} sp_log;

SP_INLINE void sp_record_write(sp_record *record, uint64_t start, uint64_t rest)
{
    record->start = start;
    SP_STORE(&record->rest, rest); /* in this order, whatever happens in between */
}

/* Blocks are read one by one: each says at its begin in which context calls are made, unless it is none, and
 * by which thread, unless it is the first.
 *
 * store: NULL to log nothing. shortest: ticks of the shortest call that is logged. bounds: or NULL. */
void sp_log_init(sp_log *log, sp_block_store *store, uint64_t shortest, sp_bounds *bounds);
void sp_log_free(sp_log *log);
/* Go on with nothing written, of the thread that writes now. */
void sp_log_start_over(sp_log *log);
/* Make room for three records; false when there is none. */
bool sp_log_extend(sp_log *log);
/* Bring `used` and `notes` of the last block up to date, before the blocks are read. */
void sp_log_settle(sp_log *log);

/* The next record begins a new block. */
void sp_log_end_block(sp_log *log);

SP_NOINLINE void sp_log_append_slow(sp_log *log, uint64_t context, uint64_t start,
                                    uint64_t ticks, uint32_t node);
/* The call that is written next has waited so long. */
void sp_log_wait(sp_log *log, uint64_t ticks);
/* A counter has a value from an instant on. */
void sp_log_count(sp_log *log, uint32_t counter, uint64_t now, double value);
/* The calls written from now on are of the thread with this number. */
void sp_log_thread(sp_log *log, int64_t number);

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
    sp_record_write(record, start, ticks << SP_NODE_BITS | node);
    log->next = record + 1;
}

#endif
