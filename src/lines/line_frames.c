#include "lines/line_frames.h"

#include "lines/line_tables.h"
#include "record/counters.h"

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

/* ---- Lifting ----------------------------------------------------------------------------- */

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
        sp_lose_line();
    }
    return pushed;
}
