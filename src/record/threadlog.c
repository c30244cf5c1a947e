#include "record/threadlog.h"

#include "base/heap.h"
#include "base/list.h"

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

static void ignore_rest(sp_block_store *store, const sp_block *block)
{
    (void)store, (void)block;
}

static void give_back_memory(sp_block_store *store, const sp_block *block)
{
    (void)store;
    sp_free(block->records);
}

sp_block_store sp_memory_blocks = {
    .take = take_memory, .full = ignore_full, .rest = ignore_rest, .give_back = give_back_memory};

static void switch_log(sp_log *log)
{
    bool on = log->store != NULL && (log->bounds == NULL || !log->bounds->full);
    log->shortest = on ? log->least : UINT64_MAX;
}

void sp_log_init(sp_log *log, sp_block_store *store, uint64_t shortest, sp_bounds *bounds)
{
    *log = (sp_log){.store = store, .least = shortest, .bounds = store == NULL ? NULL : bounds};
    switch_log(log);
    if (log->bounds == NULL)
        return;
    SP_LOCK(&bounds->lock);
    SP_LIST_ADD(bounds->logs, log, other, link);
    bounds->log_count++;
    switch_log(log);
    SP_UNLOCK(&bounds->lock);
}

static void give_back(sp_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->bounds != NULL)
            log->bounds->taken -= log->blocks[i].capacity;
        log->store->give_back(log->store, &log->blocks[i]);
    }
    sp_free(log->blocks);
    log->blocks = NULL;
    log->next = log->end = NULL;
    log->count = log->capacity = log->notes = 0;
}

void sp_log_free(sp_log *log)
{
    sp_bounds *bounds = log->bounds;
    if (bounds != NULL) {
        SP_LOCK(&bounds->lock);
        SP_LIST_REMOVE(log, other, link);
        bounds->log_count--;
    }
    give_back(log);
    if (bounds != NULL)
        SP_UNLOCK(&bounds->lock);
}

void sp_log_start_over(sp_log *log)
{
    give_back(log);
    log->context = 0;
    log->dropped = log->counted = 0;
    log->first = log->thread;
    log->stored = (sp_log_stored){0};
    switch_log(log);
}

void sp_log_settle(sp_log *log)
{
    if (log->count != 0) {
        sp_block *last = &log->blocks[log->count - 1];
        last->used = (size_t)(log->next - last->records);
        last->notes = log->notes;
    }
}

void sp_log_end_block(sp_log *log)
{
    sp_log_settle(log);
    log->end = log->next;
}

static void note(sp_log *log, uint64_t value, uint64_t what)
{
    sp_record_write(log->next++, value, what);
    log->notes++;
}

/* Give back the block that was filled first, of all logs; false when there is none. The last one of this log
 * has been filled now, the others write on theirs. */
static bool drop_oldest(const sp_log *log)
{
    sp_log *oldest = NULL;
    for (sp_log *other = log->bounds->logs; other != NULL; other = other->other) {
        bool has_filled = other->count > (other == log ? 0 : 1);
        if (has_filled && (oldest == NULL || other->blocks[0].number < oldest->blocks[0].number))
            oldest = other;
    }
    if (oldest == NULL)
        return false;
    log->bounds->taken -= oldest->blocks[0].capacity;
    log->store->give_back(log->store, &oldest->blocks[0]);
    memmove(oldest->blocks, oldest->blocks + 1, --oldest->count * sizeof *oldest->blocks);
    return true;
}

static bool take_block(sp_log *log, size_t wanted, sp_block *block)
{
    sp_bounds *bounds = log->bounds;
    if (bounds == NULL)
        return log->store->take(log->store, log, wanted, block);
    size_t records;
    while ((records = sp_bounds_grant(bounds, wanted)) == 0) {
        if (bounds->on_full == SP_RING && drop_oldest(log))
            continue;
        if (bounds->on_full != SP_RING) {
            bounds->full = true;
            switch_log(log);
        }
        return false;
    }
    if (!log->store->take(log->store, log, records, block))
        return false;
    bounds->taken += block->capacity;
    return true;
}

static bool has_room_for_block(sp_log *log)
{
    if (log->count < log->capacity)
        return true;
    size_t capacity = log->capacity == 0 ? 8 : 2 * log->capacity;
    sp_block *blocks = sp_realloc(log->blocks, capacity * sizeof *blocks);
    if (blocks == NULL)
        return false;
    log->blocks = blocks;
    log->capacity = capacity;
    return true;
}

static bool extend(sp_log *log)
{
    size_t records = FIRST_RECORDS;
    if (!has_room_for_block(log))
        return false;
    sp_log_settle(log);
    if (log->count != 0) {
        sp_block *last = &log->blocks[log->count - 1];
        records = 2 * last->capacity;
        last->number = log->bounds == NULL ? 0 : log->bounds->filled++;
    }
    sp_block block = {0};
    if (!take_block(log, records > MOST_RECORDS ? MOST_RECORDS : records, &block))
        return false;
    if (log->count != 0)
        log->store->full(log->store, log, &log->blocks[log->count - 1]);
    log->blocks[log->count++] = block;
    log->next = block.records;
    log->end = block.records + block.capacity;
    log->notes = 0;
    if (log->thread != log->first)
        note(log, (uint64_t)log->thread, SP_RECORD_THREAD);
    if (log->context != 0)
        note(log, log->context, SP_RECORD_CONTEXT);
    return true;
}

bool sp_log_extend(sp_log *log)
{
    if (log->bounds == NULL)
        return extend(log);
    SP_LOCK(&log->bounds->lock);
    bool extended = extend(log);
    SP_UNLOCK(&log->bounds->lock);
    return extended;
}

void sp_log_wait(sp_log *log, uint64_t ticks)
{
    enum { WITH_CALL = 4 }; /* in one block: when that is used again, both are lost */
    if (log->end - log->next >= WITH_CALL || sp_log_extend(log))
        note(log, ticks, SP_RECORD_WAIT);
}

void sp_log_count(sp_log *log, uint32_t counter, uint64_t now, double value)
{
    log->counted++;
    if (log->store == NULL || (log->end - log->next < 2 && !sp_log_extend(log)))
        return;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    note(log, now, (uint64_t)counter << SP_COUNTER_SHIFT | SP_RECORD_COUNTER);
    note(log, bits, UINT64_MAX);
}

void sp_log_thread(sp_log *log, int64_t number)
{
    log->thread = number;
    if (log->count == 0)
        log->first = number;
    else if (log->next != log->end) /* or the next block says it */
        note(log, (uint64_t)number, SP_RECORD_THREAD);
}

/* The call that has waited is not written. */
static void take_back_wait(sp_log *log)
{
    if (log->count == 0 || log->next == log->blocks[log->count - 1].records
        || log->next[-1].rest != SP_RECORD_WAIT)
        return;
    log->next--;
    log->notes--;
}

void sp_log_append_slow(sp_log *log, uint64_t context, uint64_t start, uint64_t ticks,
                        uint32_t node)
{
    bool is_long = ticks >= SP_LONG_DURATION;
    if ((uint32_t)context == SP_THINNED_CALL) {
        if (!sp_thinning_keeps(log->thinning, start, ticks, log->thread)) {
            take_back_wait(log);
            return;
        }
        context = (context & ~(uint64_t)UINT32_MAX) | log->annotation;
    }
    if (node >= SP_NODE_LIMIT
        || (log->end - log->next < 1 + is_long + (context != log->context)
            && !sp_log_extend(log))) {
        log->dropped += log->bounds == NULL; /* else it may be the bounds that leave no room */
        return;
    }
    if (context != log->context) {
        note(log, context, SP_RECORD_CONTEXT);
        log->context = context;
    }
    sp_record_write(log->next++, start,
                    (is_long ? SP_LONG_DURATION : ticks) << SP_NODE_BITS | node);
    if (is_long)
        note(log, ticks, UINT64_MAX);
}
