#include "record/threadlog.h"

#include "base/heap.h"

/* The first block is small, for threads that live short; then they double up to 1 MiB, where
 * the cost of a new one is spread over 65 536 calls. */
enum { FIRST_RECORDS = 256, MOST_RECORDS = 65536 };

static bool take_memory(sp_block_store *store, sp_log *log, size_t records, sp_block *block)
{
    (void)store, (void)log;
    block->records = sp_malloc(records * sizeof *block->records);
    block->capacity = records;
    return block->records != NULL;
}

static void ignore_full(sp_block_store *store, const sp_log *log, const sp_block *block)
{
    (void)store, (void)log, (void)block;
}

static void give_back_memory(sp_block_store *store, const sp_block *block)
{
    (void)store;
    sp_free(block->records);
}

sp_block_store sp_memory_blocks = {
    .take = take_memory, .full = ignore_full, .give_back = give_back_memory};

void sp_log_free(sp_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        log->store->give_back(log->store, &log->blocks[i]);
    sp_free(log->blocks);
    *log = (sp_log){.store = log->store, .shortest = UINT64_MAX};
}

void sp_log_start_over(sp_log *log)
{
    sp_log before = *log;
    sp_log_free(log);
    log->waits = before.waits;
    log->on = before.on;
    log->shortest = before.shortest;
    log->first = log->thread = before.thread;
}

void sp_log_settle(sp_log *log)
{
    if (log->count != 0) {
        sp_block *last = &log->blocks[log->count - 1];
        last->used = (size_t)(log->next - last->records);
    }
}

void sp_log_end_block(sp_log *log)
{
    sp_log_settle(log);
    log->end = log->next;
}

bool sp_log_extend(sp_log *log)
{
    if (log->count == log->capacity) {
        size_t capacity = log->capacity == 0 ? 8 : 2 * log->capacity;
        sp_block *blocks = sp_realloc(log->blocks, capacity * sizeof *blocks);
        if (blocks == NULL)
            return false;
        log->blocks = blocks;
        log->capacity = capacity;
    }
    sp_block *last = log->count == 0 ? NULL : &log->blocks[log->count - 1];
    size_t records = last == NULL ? FIRST_RECORDS : 2 * last->capacity;
    sp_block block = {0};
    if (!log->store->take(log->store, log, records > MOST_RECORDS ? MOST_RECORDS : records,
                          &block))
        return false;
    sp_log_settle(log);
    if (last != NULL)
        log->store->full(log->store, log, last);
    log->blocks[log->count++] = block;
    log->next = block.records;
    log->end = block.records + block.capacity;
    return true;
}

static bool append_note(sp_log *log, uint64_t value, uint64_t what)
{
    if (log->next == log->end && !sp_log_extend(log))
        return false;
    sp_record_write(log->next++, value, what);
    return true;
}

void sp_log_wait(sp_log *log, uint64_t ticks) { (void)append_note(log, ticks, SP_RECORD_WAIT); }

bool sp_log_thread(sp_log *log, int64_t number)
{
    if (!append_note(log, (uint64_t)number, SP_RECORD_THREAD))
        return false;
    log->thread = number;
    return true;
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
        sp_record_write(log->next++, context, SP_RECORD_CONTEXT);
        log->context = context;
    }
    sp_record_write(log->next++, start,
                    (is_long ? SP_LONG_DURATION : ticks) << SP_NODE_BITS | node);
    if (is_long)
        sp_record_write(log->next++, ticks, UINT64_MAX);
}
