#include "memory/thread_memory.h"

#include "base/heap.h"

static sp_thread_memory *records;

/* ---- Records ----------------------------------------------------------------------------- */

/* Runs as the thread ends, without the GIL. */
static void leave(void *argument)
{
    sp_thread_memory *record = argument;
    if (sp_here.memory == record)
        sp_here.memory = NULL;
    SP_STORE(&record->used, false);
}

static sp_thread_memory *find_unused(void)
{
    for (sp_thread_memory *record = SP_LOAD(&records); record != NULL; record = record->next) {
        bool used = false;
        if (!SP_LOAD(&record->used) && SP_EXCHANGE_IF(&record->used, &used, true))
            return record;
    }
    return NULL;
}

static sp_thread_memory *new_record(void)
{
    sp_thread_memory *record = sp_calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    record->used = true;
    record->next = SP_LOAD(&records);
    while (!SP_EXCHANGE_IF(&records, &record->next, record))
        ;
    return record;
}

static SP_NOINLINE sp_thread_memory *begin_thread(void)
{
    static sp_thread_end at_end;
    if (!sp_local_is_mine())
        return NULL;
    sp_thread_memory *record = find_unused();
    if (record == NULL && (record = new_record()) == NULL)
        return NULL;
    record->inside = false;
    sp_at_thread_end(&at_end, leave, record);
    return sp_here.memory = record;
}

sp_thread_memory *sp_thread_memory_here(void)
{
    return SP_LIKELY(sp_here.memory != NULL) ? sp_here.memory : begin_thread();
}

/* ---- Marks ------------------------------------------------------------------------------- */

/* Marks are known by number, which fits where an open call has room. They stay where they are. */
enum { CHUNK = 256, CHUNKS = 1 << 16 };
static sp_memory_mark *chunks[CHUNKS];
static uint32_t chunk_count;

static sp_memory_mark *mark_at(uint32_t number)
{
    return &chunks[number / CHUNK][number % CHUNK];
}

static SP_NOINLINE bool more_marks(sp_thread_memory *mine)
{
    uint32_t chunk = SP_LOAD(&chunk_count) < CHUNKS ? SP_ADD(&chunk_count, 1) - 1 : CHUNKS;
    sp_memory_mark *marks = chunk < CHUNKS ? sp_calloc(CHUNK, sizeof *marks) : NULL;
    if (marks == NULL)
        return false;
    chunks[chunk] = marks;
    for (uint32_t i = chunk == 0; i < CHUNK; i++) { /* 0 is no number */
        marks[i] = (sp_memory_mark){.number = chunk * CHUNK + i, .below = mine->unused};
        mine->unused = &marks[i];
    }
    return true;
}

uint32_t sp_memory_mark_begin(void)
{
    sp_thread_memory *mine = sp_thread_memory_here();
    if (SP_UNLIKELY(mine == NULL || (mine->unused == NULL && !more_marks(mine))))
        return 0;
    sp_memory_mark *mark = mine->unused;
    mine->unused = mark->below;
    mark->thread = mine;
    mark->below = mine->top;
    mark->above = NULL;
    if (mine->top != NULL)
        mine->top->above = mark;
    mine->top = mark;
    mark->before = mine->counts;
    mark->high = mine->high;
    mine->high = sp_memory_net(&mine->counts);
    return mark->number;
}

/* Of the mark that ends: what the thread had at most is noted where the next one above begins, or is
 * the thread's. */
static int64_t take_high(sp_memory_mark *mark)
{
    sp_thread_memory *thread = mark->thread;
    int64_t high = thread->high;
    for (const sp_memory_mark *above = mark->above; above != NULL; above = above->above) {
        if (above->high > high)
            high = above->high;
    }
    int64_t *before = mark->above == NULL ? &thread->high : &mark->above->high;
    if (mark->high > *before)
        *before = mark->high;
    return high;
}

/* It is measured from no longer. Returns what the thread had at most since it began. */
static int64_t end(sp_memory_mark *mark)
{
    sp_thread_memory *thread = mark->thread;
    int64_t high = take_high(mark);
    if (mark->above == NULL)
        thread->top = mark->below;
    else
        mark->above->below = mark->below;
    if (mark->below != NULL)
        mark->below->above = mark->above;
    mark->below = thread->unused;
    thread->unused = mark;
    return high;
}

void sp_memory_mark_drop(uint32_t number)
{
    if (number != 0)
        end(mark_at(number));
}

bool sp_memory_mark_end(uint32_t number, sp_memory_span *span)
{
    if (number == 0)
        return false;
    sp_memory_mark *mark = mark_at(number);
    const sp_memory_counts *now = &mark->thread->counts, *before = &mark->before;
    span->counts =
        (sp_memory_counts){now->allocated - before->allocated, now->freed - before->freed,
                           now->allocations - before->allocations, now->frees - before->frees};
    span->peak = (uint64_t)(end(mark) - sp_memory_net(before));
    return sp_here.memory == mark->thread;
}
