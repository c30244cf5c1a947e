#include "lines/line_frames.h"

#include "lines/line_tables.h"

uint32_t sp_line_asleep;

/* What all threads share. */
static struct {
    sp_map asleep; /* frame -> sp_line_frame, of sleeping generators. Owned. */
    uint64_t lost;
} all;

void sp_line_lose(void) { SP_ADD(&all.lost, 1); }
uint64_t sp_lines_lost(void) { return all.lost; }

/* ---- The stack --------------------------------------------------------------------------- */

bool sp_line_deepen(sp_line_thread *here)
{
    size_t depth = (size_t)(here->top - here->frames);
    sp_line_frame *frames =
        PyMem_RawRealloc(here->frames, 2 * (size_t)here->frame_capacity * sizeof *frames);
    if (frames == NULL)
        return false;
    here->frames = frames;
    here->top = frames + depth;
    here->frame_capacity *= 2;
    return true;
}

/* Free what the frame owns, whether it lies on the stack or sleeps. */
void sp_line_drop(sp_line_frame *recorded)
{
    while (recorded->blocks != NULL) {
        sp_line_block *outer = recorded->blocks->outer;
        sp_line_block_free(recorded->blocks);
        recorded->blocks = outer;
    }
    if (recorded->table != NULL)
        sp_line_pin(recorded, -1);
}

void sp_line_pop_slow(sp_line_thread *here)
{
    sp_line_close_frame(here, here->top);
    sp_line_drop(here->top--);
}

sp_line_frame *sp_line_find(sp_line_thread *here, const void *frame, const PyCodeObject *code)
{
    enum { NEAR = 8 };
    for (sp_line_frame *below = here->top; below > here->frames && here->top - below < NEAR;
         below--) {
        if (below->frame == frame && below->table->code->code == code) {
            while (here->top > below)
                sp_line_pop(here);
            return below;
        }
    }
    return NULL;
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
    sp_line_frame *below = sp_line_find(here, frame, code);
    if (below != NULL)
        return below;
    /* A generator that throw() woke: there is no event for that on single code before 3.15. */
    sp_line_frame *woken = sp_line_wake(here, frame, now);
    if (woken == NULL || woken->table->code->code == code)
        return woken;
    sp_line_pop(here); /* it died asleep, and another has its address now */
    return NULL;
}

/* ---- Where lines go ---------------------------------------------------------------------- */

void sp_line_turn_to(sp_line_frame *recorded, sp_line_table *table)
{
    if (recorded->cell != NULL)
        recorded->cell = table->cells + (recorded->cell - recorded->table->cells);
    sp_line_pin(recorded, -1);
    recorded->table = table;
    sp_line_pin(recorded, 1);
}

sp_line_table *sp_line_table_now(sp_line_thread *here, const sp_line_frame *recorded,
                                 const sp_line_block *block)
{
    if (block == NULL)
        return recorded->call;
    sp_line_table *outer = sp_line_table_now(here, recorded, block->outer);
    if (block->region == NULL)
        return outer;
    return sp_line_table_get(here, recorded->table->code, outer == NULL ? NULL : outer->set,
                             block->region);
}

void sp_line_call_to(sp_line_thread *here, sp_line_frame *recorded, sp_line_table *call)
{
    sp_line_pin(recorded, -1);
    recorded->call = call;
    sp_line_pin(recorded, 1);
    sp_line_table *table = sp_line_table_now(here, recorded, recorded->blocks);
    if (table != NULL)
        sp_line_turn_to(recorded, table);
}

void sp_line_go_on(sp_line_frame *recorded, int line)
{
    const sp_line_plan *plan = &recorded->table->code->plan;
    unsigned index = (unsigned)(line - plan->first);
    if (index < (unsigned)plan->count)
        recorded->cell = &recorded->table->cells[index];
    recorded->since = sp_now();
}

/* ---- Sleep ------------------------------------------------------------------------------- */

sp_line_frame sp_line_lift(sp_line_thread *here, uint64_t now)
{
    sp_line_frame *top = here->top;
    sp_cell *cell = top->cell;
    sp_line_stop(top, now);
    top->cell = cell; /* it will go on with the same line */
    if (top->call != top->own)
        sp_line_call_to(here, top, top->own); /* regions that watch it may be closed then */
    sp_line_close_frame(here, top);
    return *here->top--;
}

bool sp_line_put_back(sp_line_thread *here, sp_line_frame *lifted, uint64_t now)
{
    bool pushed = sp_line_push(here, lifted);
    if (pushed) {
        sp_line_pin(lifted, -1);
        here->top->since = now;
    }
    else {
        sp_line_drop(lifted);
        sp_line_lose();
    }
    return pushed;
}

static sp_line_frame *pop_asleep(const void *frame)
{
    if (sp_line_asleep == 0)
        return NULL;
    sp_line_frame *asleep = sp_map_pop(&all.asleep, frame, NULL);
    sp_line_asleep -= asleep != NULL;
    return asleep;
}

/* A new frame at an address where another fell asleep and never woke. */
static void forget_asleep(const void *frame)
{
    sp_line_frame *asleep = pop_asleep(frame);
    if (asleep != NULL) {
        sp_line_drop(asleep);
        PyMem_RawFree(asleep);
    }
}

/* False when memory is out. */
static bool lay_asleep(sp_line_frame lifted)
{
    sp_line_frame *asleep = PyMem_RawMalloc(sizeof *asleep);
    if (asleep == NULL)
        return false;
    *asleep = lifted;
    forget_asleep(lifted.frame);
    int added = sp_map_add(&all.asleep, lifted.frame, NULL, asleep);
    sp_line_asleep += added == 0;
    if (added < 0)
        PyMem_RawFree(asleep);
    return added == 0;
}

void sp_line_frame_yields(sp_line_thread *here, uint64_t now)
{
    if (here->top->blocks == NULL) { /* what watches it decides anew when it wakes */
        sp_line_stop(here->top, now);
        sp_line_pop(here);
        return;
    }
    sp_line_frame lifted = sp_line_lift(here, now);
    if (!lay_asleep(lifted)) {
        sp_line_drop(&lifted);
        sp_line_lose();
    }
}

sp_line_frame *sp_line_wake(sp_line_thread *here, const void *frame, uint64_t now)
{
    sp_line_frame *asleep = pop_asleep(frame);
    if (asleep == NULL)
        return NULL;
    bool awake = sp_line_put_back(here, asleep, now);
    PyMem_RawFree(asleep);
    return awake ? here->top : NULL;
}
