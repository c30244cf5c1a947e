#include "lines.h"

#include "line_tables.h"
#include "region.h"

SP_THREAD_LOCAL sp_line_thread *sp_line_here;
uint32_t sp_line_asleep;

/* What all threads share. */
static struct {
    sp_map asleep; /* frame -> sp_line_frame, of sleeping generators. Owned. */
    sp_line_thread *threads; /* all that ever were */
    uint64_t lost;
    sp_mutex lock;
} all;

uint64_t sp_lines_lost(void) { return all.lost + sp_line_tables_lost(); }

/* ---- Recorded frames --------------------------------------------------------------------- */

static void frame_end(sp_line_frame *recorded);

static sp_line_thread *new_thread(void)
{
    enum { FRAMES = 16 };
    sp_line_thread *here = PyMem_RawCalloc(1, sizeof *here);
    if (here == NULL)
        return NULL;
    here->frames = PyMem_RawCalloc(FRAMES, sizeof *here->frames);
    if (here->frames == NULL) {
        PyMem_RawFree(here);
        return NULL;
    }
    here->frame_capacity = FRAMES;
    here->top = here->frames;
    here->frames[0].frame = here; /* no interpreter frame has this address, nor NULL */
    here->next = all.threads;
    all.threads = here;
    return here;
}

/* A thread that is new takes over what one that has ended left: the counts go on, and memory does
 * not grow with the number of threads. */
static sp_line_thread *take_over(void)
{
    for (sp_line_thread *thread = all.threads; thread != NULL; thread = thread->next) {
        if (thread->ended) {
            thread->ended = false;
            while (thread->top > thread->frames)
                frame_end(thread->top--);
            return thread;
        }
    }
    return NULL;
}

/* Runs as the thread ends, without the GIL: it may only raise a flag. */
static void thread_ends(void *thread) { ((sp_line_thread *)thread)->ended = true; }

sp_line_thread *sp_line_thread_here(void)
{
    if (SP_LIKELY(sp_line_here != NULL))
        return sp_line_here;
    SP_LOCK(&all.lock);
    sp_line_thread *here = take_over();
    if (here == NULL)
        here = new_thread();
    SP_UNLOCK(&all.lock);
    if (here != NULL)
        sp_at_thread_end(thread_ends, here);
    return sp_line_here = here;
}

static void pin(sp_line_table *table, int change)
{
    if (table != NULL)
        table->pins += (uint32_t)change;
}

static void pin_frame(const sp_line_frame *recorded, int change)
{
    pin(recorded->table, change);
    pin(recorded->call, change);
}

static void turn_to(sp_line_frame *recorded, sp_line_table *table)
{
    pin(table, 1);
    pin(recorded->table, -1);
    recorded->table = table;
}

static void free_blocks(sp_line_frame *recorded)
{
    while (recorded->blocks != NULL) {
        sp_line_block *outer = recorded->blocks->outer;
        PyMem_RawFree(recorded->blocks);
        recorded->blocks = outer;
    }
}

/* The frame is not recorded any longer, whether it lies on the stack or sleeps. */
static void frame_end(sp_line_frame *recorded)
{
    free_blocks(recorded);
    pin_frame(recorded, -1);
}

static bool push(sp_line_thread *here, sp_line_frame recorded)
{
    uint32_t depth = (uint32_t)(here->top - here->frames);
    if (depth + 1 == here->frame_capacity) {
        sp_line_frame *frames =
            PyMem_RawRealloc(here->frames, 2 * (size_t)here->frame_capacity * sizeof *frames);
        if (frames == NULL)
            return false;
        here->frames = frames;
        here->top = frames + depth;
        here->frame_capacity *= 2;
    }
    pin_frame(&recorded, 1);
    *++here->top = recorded;
    return true;
}

SP_NOINLINE sp_line_frame *sp_line_match_slow(const void *frame, PyCodeObject *code, uint64_t now)
{
    if (!sp_lines_open())
        return NULL;
    sp_line_thread *here = sp_line_thread_here();
    if (here == NULL)
        return NULL;
    sp_line_frame *top = here->top;
    if (top != here->frames && top->frame == NULL && top->table->code->code == code) {
        top->frame = frame; /* the first event of a decorated call */
        return top;
    }
    /* Frames above the one that runs have ended without leaving their blocks. */
    enum { NEAR = 8 };
    for (sp_line_frame *below = top; below > here->frames && top - below < NEAR; below--) {
        if (below->frame == frame && below->table->code->code == code) {
            while (here->top > below)
                frame_end(here->top--);
            return below;
        }
    }
    /* A generator that throw() woke: there is no event for that before 3.15. */
    sp_line_frame *woken = sp_line_wake(here, frame, now);
    if (woken == NULL || woken->table->code->code == code)
        return woken;
    frame_end(here->top--); /* it died asleep, and another has its address now */
    return NULL;
}

static sp_line_frame *pop_asleep(const void *frame)
{
    if (sp_line_asleep == 0)
        return NULL;
    SP_LOCK(&all.lock);
    sp_line_frame *asleep = sp_map_pop(&all.asleep, frame, NULL);
    sp_line_asleep -= asleep != NULL;
    SP_UNLOCK(&all.lock);
    return asleep;
}

/* A new frame at an address where another fell asleep and never woke. */
static void forget_asleep(const void *frame)
{
    sp_line_frame *asleep = pop_asleep(frame);
    if (asleep != NULL) {
        frame_end(asleep);
        PyMem_RawFree(asleep);
    }
}

void sp_line_suspend(sp_line_thread *here, uint64_t now)
{
    sp_line_frame *asleep = PyMem_RawMalloc(sizeof *asleep);
    sp_cell *cell = here->top->cell;
    sp_line_stop(here->top, now);
    if (asleep == NULL)
        goto lost;
    forget_asleep(here->top->frame);
    *asleep = *here->top;
    asleep->cell = cell; /* it goes on with the same line */
    SP_LOCK(&all.lock);
    int added = sp_map_add(&all.asleep, asleep->frame, NULL, asleep);
    sp_line_asleep += added == 0;
    SP_UNLOCK(&all.lock);
    if (added == 0) {
        here->top--;
        return;
    }
    PyMem_RawFree(asleep);
lost:
    frame_end(here->top--);
    all.lost++;
}

sp_line_frame *sp_line_wake(sp_line_thread *here, const void *frame, uint64_t now)
{
    sp_line_frame *asleep = pop_asleep(frame);
    if (asleep == NULL)
        return NULL;
    bool pushed = push(here, *asleep);
    if (pushed) {
        pin_frame(asleep, -1);
        here->top->since = now;
    }
    else {
        frame_end(asleep);
        all.lost++;
    }
    PyMem_RawFree(asleep);
    return pushed ? here->top : NULL;
}

/* ---- Decorated calls --------------------------------------------------------------------- */

/* Where the lines of a decorated call go; NULL with `wanted` false when they are not wanted, true
 * when they are lost. */
static SP_NOINLINE sp_line_table *call_table_slow(sp_line_thread *here, sp_region *region,
                                                  PyCodeObject *code, bool *wanted)
{
    sp_line_code *entry = sp_line_code_get(region->manager, code);
    *wanted = entry == NULL || entry->count != 0;
    if (entry == NULL || !*wanted)
        return NULL;
    /* Decorated twice: the frame of the outer call is this one's, and its lines go to both. */
    if (here->top->frame == NULL && here->top->table->code == entry)
        return sp_line_table_get(here, entry, here->top->table->set, region);
    return sp_line_table_get(here, entry, NULL, region);
}

SP_INLINE sp_line_table *call_table(sp_line_thread *here, sp_region *region, PyCodeObject *code,
                                    bool *wanted)
{
    size_t slot = (((uintptr_t)code >> 4) ^ ((uintptr_t)region >> 4)) % SP_LINE_CALLS;
    if (SP_LIKELY(here->calls[slot].code == code && here->calls[slot].region == region
                  && here->top->frame != NULL)) {
        *wanted = true;
        return here->calls[slot].table;
    }
    sp_line_table *table = call_table_slow(here, region, code, wanted);
    if (table != NULL && here->top->frame != NULL) {
        here->calls[slot].code = code;
        here->calls[slot].region = region;
        here->calls[slot].table = table;
    }
    return table;
}

uint32_t sp_lines_call_begin(sp_region *region, PyCodeObject *code)
{
    sp_line_thread *here = sp_line_thread_here();
    bool wanted = true;
    sp_line_table *table = here == NULL ? NULL : call_table(here, region, code, &wanted);
    if (SP_LIKELY(table != NULL
                  && push(here, (sp_line_frame){.table = table, .call = table}))) {
        uint32_t mark = (uint32_t)(here->top - here->frames) * 2;
        return mark | sp_line_trace(true);
    }
    all.lost += wanted;
    return 0;
}

/* The mark is where the call's frame lies in the stack, and whether its caller was traced. */
void sp_lines_call_end(uint32_t mark)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_here;
    sp_line_frame *recorded = here->frames + mark / 2;
    while (here->top >= recorded) {
        sp_line_stop(here->top, now);
        frame_end(here->top--);
    }
    sp_line_trace(mark & 1);
}

uint32_t sp_lines_step_begin(sp_region *region, PyCodeObject *code, sp_line_frame *kept)
{
    sp_line_thread *here = sp_line_thread_here();
    if (kept->table == NULL || here == NULL)
        return sp_lines_call_begin(region, code);
    if (!push(here, *kept)) {
        all.lost++;
        return 0;
    }
    pin_frame(kept, -1);
    *kept = (sp_line_frame){0};
    here->top->since = sp_now();
    uint32_t mark = (uint32_t)(here->top - here->frames) * 2;
    return mark | sp_line_trace(true);
}

void sp_lines_step_end(uint32_t mark, sp_line_frame *kept)
{
    uint64_t now = sp_now();
    sp_line_frame *recorded = sp_line_here->frames + mark / 2;
    sp_cell *cell = recorded->cell;
    sp_line_stop(recorded, now);
    recorded->cell = cell;
    *kept = *recorded;
    pin_frame(kept, 1);
    recorded->cell = NULL;
    recorded->blocks = NULL; /* they go along, and are left before the generator is gone */
    sp_lines_call_end(mark);
}

void sp_lines_step_drop(sp_line_frame *kept)
{
    frame_end(kept);
    *kept = (sp_line_frame){0};
}

/* ---- Blocks ------------------------------------------------------------------------------ */

/* Where the frame's lines go by the blocks still open in it; NULL for nowhere. */
static sp_line_table *table_now(sp_line_thread *here, const sp_line_frame *recorded,
                                const sp_line_block *block)
{
    if (block == NULL)
        return recorded->call;
    sp_line_table *outer = table_now(here, recorded, block->outer);
    return sp_line_table_get(here, recorded->table->code, outer == NULL ? NULL : outer->set,
                             block->region);
}

/* The code of the frame, when it is a `with` statement there that enters. */
static sp_line_code *code_of_with(sp_manager *manager)
{
    PyFrameObject *running = PyEval_GetFrame();
    PyCodeObject *borrowed = running == NULL ? NULL : PyFrame_GetCode(running);
    if (borrowed == NULL)
        return NULL;
    sp_line_code *code = sp_line_code_get(manager, borrowed);
    Py_DECREF(borrowed);
    if (code == NULL) {
        all.lost++;
        return NULL;
    }
    bool in_with = sp_line_offset_in(code->withs, code->with_count, PyFrame_GetLasti(running));
    return in_with && code->count != 0 ? code : NULL;
}

void sp_lines_block_enter(sp_region *region, const void *frame)
{
    sp_line_thread *here = sp_line_thread_here();
    sp_line_code *code = here == NULL ? NULL : code_of_with(region->manager);
    if (code == NULL)
        return;
    /* The first event of a decorated call may have been missed: a body on the `def` line. */
    sp_line_frame *recorded = sp_line_match(frame, code->code, sp_now());
    sp_line_block *block = PyMem_RawMalloc(sizeof *block);
    if (block == NULL)
        goto lost;
    *block = (sp_line_block){recorded == NULL ? NULL : recorded->blocks, region};
    sp_line_table *table =
        sp_line_table_get(here, code, recorded == NULL ? NULL : recorded->table->set, region);
    if (table == NULL)
        goto lost;
    if (recorded != NULL) {
        sp_line_stop(recorded, sp_now());
        turn_to(recorded, table);
        recorded->blocks = block;
        return;
    }
    if (push(here, (sp_line_frame){.frame = frame, .table = table, .blocks = block})) {
        sp_line_trace(true);
        return;
    }
lost:
    PyMem_RawFree(block);
    all.lost++;
}

/* Take the innermost block of the region off the frame's; false when it has none. */
static bool pop_block(sp_line_frame *recorded, const sp_region *region)
{
    for (sp_line_block **link = &recorded->blocks; *link != NULL; link = &(*link)->outer) {
        sp_line_block *block = *link;
        if (block->region == region) {
            *link = block->outer;
            PyMem_RawFree(block);
            return true;
        }
    }
    return false;
}

void sp_lines_block_leave(sp_region *region, const void *frame)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_thread_here();
    if (here == NULL || (here->top->frame != frame && sp_line_wake(here, frame, now) == NULL))
        return;
    sp_line_frame *recorded = here->top;
    if (!pop_block(recorded, region))
        return;
    sp_line_stop(recorded, now);
    sp_line_table *table = table_now(here, recorded, recorded->blocks);
    if (table != NULL) {
        turn_to(recorded, table);
        return;
    }
    frame_end(here->top--);
    sp_line_trace(false);
}
