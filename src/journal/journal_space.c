#include "journal/journal_space.h"

#include "base/clock.h"
#include "base/heap.h"

static void stop_writing(sp_journal_space *space)
{
    space->is_open = false;
    space->rest = (sp_room){0};
    space->freed_count = 0;
    if (space->file != NULL)
        sp_mapped_file_close(space->file);
}

void sp_journal_space_end(sp_journal_space *space)
{
    stop_writing(space);
    space->error = 0;
    if (space->file != NULL && space->file->blocks == 0)
        sp_mapped_file_free(space->file);
    space->file = NULL;
}

void sp_journal_space_free(sp_journal_space *space)
{
    sp_journal_space_end(space);
    sp_free(space->freed);
}

void sp_journal_fail(sp_journal_space *into, int error)
{
    stop_writing(into);
    if (into->error == 0)
        into->error = error;
}

void sp_journal_hold_block(sp_journal_space *space) { space->file->blocks++; }

void sp_journal_give_back(sp_journal_space *space, sp_mapped_file *file, sp_room given)
{
    file->blocks--;
    if (file != space->file && file->blocks == 0)
        sp_mapped_file_free(file);
    else if (file == space->file && space->is_open)
        sp_journal_free_room(space, given);
}

sp_journal_block *sp_journal_begin_block(sp_journal_space *into, sp_room at, uint32_t kind,
                                         const sp_thread *thread)
{
    sp_journal_block *block = (sp_journal_block *)at.at;
    sp_journal_block head = {.kind = kind, .length = at.length, .sequence = into->sequence++};
    if (thread != NULL) {
        head.thread = (uint64_t)thread->log.first;
        head.ordinal = thread->log.stored.ordinal;
        head.owner = (uint64_t)thread->log.thread;
        head.context = thread->log.context;
    }
    sp_clock_pair(&head.ticks, &head.ns);
    head.magic = SP_JOURNAL_BLOCK;
    head.hash = sp_journal_hash(&head, offsetof(sp_journal_block, hash));
    SP_STORE(&block->magic, 0);
    memcpy((char *)block + sizeof block->magic, (char *)&head + sizeof head.magic,
           sizeof head - sizeof head.magic);
    SP_STORE(&block->magic, head.magic);
    return block;
}

void sp_journal_settle_block(sp_journal_block *block, size_t used)
{
    block->contents = sp_journal_hash(block + 1, used);
    SP_STORE(&block->used, used);
}

void sp_journal_free_room(sp_journal_space *into, sp_room given)
{
    if (into->freed_count == into->freed_capacity) {
        size_t capacity = into->freed_capacity == 0 ? 16 : 2 * into->freed_capacity;
        sp_room *freed = sp_realloc(into->freed, capacity * sizeof *freed);
        if (freed == NULL)
            return;
        into->freed = freed;
        into->freed_capacity = capacity;
    }
    sp_journal_begin_block(into, given, SP_JOURNAL_FREE, NULL);
    into->freed[into->freed_count++] = given;
}

static bool take_freed(sp_journal_space *into, size_t least, sp_room *found)
{
    for (size_t i = into->freed_count; i-- > 0;) {
        if (into->freed[i].length < least)
            continue;
        *found = into->freed[i];
        into->freed[i] = into->freed[--into->freed_count];
        size_t head = sizeof(sp_journal_block);
        memset(found->at + head, 0, found->length - head); /* as new */
        return true;
    }
    return false;
}

/* The file doubles up to 2 MiB, as many small steps take longer, and then grows by a quarter each time, so
 * that little of it is empty and it seldom waits for the disk. */
static size_t step_of(uint64_t size)
{
    enum { LEAST = 1 << 16, DOUBLES = 1 << 20, MOST = 1 << 22 };
    uint64_t step = size < DOUBLES ? size : size < 4 * DOUBLES ? DOUBLES : size / 4;
    return step < LEAST ? LEAST : step > MOST ? MOST : sp_padded((size_t)step, SP_JOURNAL_PAGE);
}

static bool grow(sp_journal_space *into, size_t least)
{
    size_t length = step_of(into->file->size);
    if (length < least)
        length = sp_padded(least, SP_JOURNAL_PAGE);
    char *address;
    int error = sp_mapped_file_grow(into->file, length, &address);
    if (error != 0) {
        sp_journal_fail(into, error);
        return false;
    }
    if (into->rest.length != 0)
        sp_journal_free_room(into, into->rest);
    into->rest = (sp_room){address, length};
    return true;
}

bool sp_journal_take_room(sp_journal_space *into, size_t least, size_t wanted, sp_room *found)
{
    if (take_freed(into, wanted, found))
        return true;
    if (into->rest.length < least && !grow(into, least))
        return false;
    size_t length = wanted < into->rest.length ? wanted : into->rest.length;
    *found = (sp_room){into->rest.at, length};
    into->rest.at += length;
    into->rest.length -= length;
    return true;
}
