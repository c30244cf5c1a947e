/* The log of a thread, read call by call. The thread is stopped, or reads its own; the log is settled. */
#ifndef SP_LOG_READER_H
#define SP_LOG_READER_H

#include "record/threadlog.h"

typedef struct {
    uint64_t start, ticks;
    uint64_t waited;
    uint32_t node;
    uint32_t annotation, task;
} sp_logged_call;

typedef struct {
    const sp_log *log;
    size_t block, record;
    uint64_t context;
    int64_t thread; /* the number of who made the calls read now */
} sp_log_reader;

/* From this block on: each is read by itself. */
SP_INLINE sp_log_reader sp_log_read_from(const sp_log *log, size_t block)
{
    return (sp_log_reader){.log = log, .block = block, .thread = log->first};
}

SP_INLINE sp_log_reader sp_log_read(const sp_log *log) { return sp_log_read_from(log, 0); }

SP_INLINE const sp_record *sp_log_next_record(sp_log_reader *reader)
{
    while (reader->block < reader->log->count
           && reader->record >= reader->log->blocks[reader->block].used) {
        reader->log->store->rest(reader->log->store, &reader->log->blocks[reader->block]);
        *reader = sp_log_read_from(reader->log, reader->block + 1);
    }
    if (reader->block >= reader->log->count)
        return NULL;
    return &reader->log->blocks[reader->block].records[reader->record++];
}

/* The next call; false when there is none. */
SP_INLINE bool sp_log_next(sp_log_reader *reader, sp_logged_call *read)
{
    const sp_record *record = sp_log_next_record(reader);
    read->waited = 0;
    while (record != NULL && SP_UNLIKELY((record->rest & (SP_NODE_LIMIT - 1)) == 0)) {
        if (record->rest == SP_RECORD_WAIT)
            read->waited = record->start;
        else if (record->rest == SP_RECORD_THREAD)
            reader->thread = (int64_t)record->start;
        else if ((record->rest & SP_RECORD_KIND) == SP_RECORD_COUNTER)
            reader->record++; /* its value */
        else
            reader->context = record->start;
        record = sp_log_next_record(reader);
    }
    if (record == NULL)
        return false;
    read->annotation = (uint32_t)reader->context;
    read->task = (uint32_t)(reader->context >> 32);
    read->start = record->start;
    read->ticks = record->rest >> SP_NODE_BITS;
    read->node = (uint32_t)(record->rest & (SP_NODE_LIMIT - 1));
    if (SP_UNLIKELY(read->ticks == SP_LONG_DURATION)) {
        read->ticks = record[1].start;
        reader->record++;
    }
    return true;
}

#endif
