#include "record/threadlog.h"

#include "base/heap.h"

/* The first block is small, for threads that live short; then they double up to 1 MiB, where
 * the cost of a new one is spread over 65 536 calls. */
enum { FIRST_RECORDS = 256, MOST_RECORDS = 65536 };

void sp_log_free(sp_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        sp_free(log->blocks[i]);
    sp_free(log->blocks);
    *log = (sp_log){0};
}

void sp_log_settle(sp_log *log)
{
    if (log->count != 0) {
        sp_block *last = log->blocks[log->count - 1];
        last->used = (size_t)(log->next - last->records);
    }
}

bool sp_log_extend(sp_log *log)
{
    if (log->count == log->capacity) {
        size_t capacity = log->capacity == 0 ? 8 : 2 * log->capacity;
        sp_block **blocks = sp_realloc(log->blocks, capacity * sizeof *blocks);
        if (blocks == NULL)
            return false;
        log->blocks = blocks;
        log->capacity = capacity;
    }
    size_t records = FIRST_RECORDS;
    if (log->count != 0) {
        records = 2 * log->blocks[log->count - 1]->capacity;
        if (records > MOST_RECORDS)
            records = MOST_RECORDS;
    }
    sp_block *block = sp_malloc(sizeof *block + records * sizeof *block->records);
    if (block == NULL)
        return false;
    block->capacity = records;
    block->used = 0;
    sp_log_settle(log);
    log->blocks[log->count++] = block;
    log->next = block->records;
    log->end = block->records + records;
    return true;
}

static bool append_note(sp_log *log, uint64_t value, uint64_t what)
{
    if (log->next == log->end && !sp_log_extend(log))
        return false;
    *log->next++ = (sp_record){value, what};
    return true;
}

void sp_log_wait(sp_log *log, uint64_t ticks) { (void)append_note(log, ticks, SP_RECORD_WAIT); }

bool sp_log_thread(sp_log *log, int64_t number)
{
    return append_note(log, (uint64_t)number, SP_RECORD_THREAD);
}

void sp_log_append_slow(sp_log *log, uint64_t context, uint64_t start, uint64_t ticks,
                        uint32_t node)
{
    bool is_long = ticks >= SP_LONG_DURATION, is_new = context != log->context;
    if (node >= SP_NODE_LIMIT
        || (log->end - log->next < 1 + is_long + is_new && !sp_log_extend(log))) {
        log->dropped++;
        return;
    }
    if (is_new) {
        *log->next++ = (sp_record){context, SP_RECORD_CONTEXT};
        log->context = context;
    }
    log->next[0] = (sp_record){start, (is_long ? SP_LONG_DURATION : ticks) << SP_NODE_BITS | node};
    if (is_long)
        log->next[1] = (sp_record){ticks, UINT64_MAX};
    log->next += 1 + is_long;
}
