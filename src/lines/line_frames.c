#include "lines/line_frames.h"

#include "base/heap.h"
#include "lines/line_memory.h"
#include "lines/line_rests.h"
#include "record/counters.h"

/* ---- Reasons ----------------------------------------------------------------------------- */

/* The line that runs has taken so much, for the reasons from this one on. */
static void add_ticks(sp_line_frame *recorded, uint32_t from, uint64_t ticks)
{
    for (uint32_t i = from; recorded->line >= 0 && i < recorded->reason_count; i++) {
        sp_cell *cells = sp_line_reason_at(recorded, i)->cells;
        if (cells != NULL)
            cells[recorded->line].ticks += ticks;
    }
}

SP_NOINLINE void sp_line_change_more(sp_line_frame *recorded, int line, uint64_t ticks)
{
    if (recorded->measures)
        sp_line_measure(recorded, line);
    add_ticks(recorded, 1, ticks);
    for (uint32_t i = 1; line >= 0 && i < recorded->reason_count; i++) {
        sp_cell *cells = sp_line_reason_at(recorded, i)->cells;
        if (cells != NULL)
            cells[line].hits++;
    }
    sp_line_detail_hit(recorded, ticks);
}

/* Where the frame counts for this reason, as those before it tell. */
static sp_line_columns *columns_of(sp_line_frame *recorded, uint32_t which)
{
    sp_line_table *table = sp_line_reason_at(recorded, which)->table;
    bool again = false;
    for (uint32_t i = 0; i < which; i++) {
        const sp_line_table *before = sp_line_reason_at(recorded, i)->table;
        if (before == table)
            return NULL;
        again |= sp_line_table_manager(before) == sp_line_table_manager(table);
    }
    if (!again)
        return &table->first;
    return sp_line_table_again(table);
}

static void place(sp_line_frame *recorded, uint32_t from)
{
    for (uint32_t i = from; i < recorded->reason_count; i++) {
        sp_line_reason *reason = sp_line_reason_at(recorded, i);
        reason->columns = columns_of(recorded, i);
        reason->cells = reason->columns == NULL ? NULL : reason->columns->cells;
    }
}

void sp_line_add_more(sp_line_frame *recorded, sp_line_table *table, sp_line_why why)
{
    uint32_t count = recorded->reason_count;
    if (count >= SP_LINE_REASONS) {
        size_t size = (count + 1 - SP_LINE_REASONS) * sizeof *recorded->more;
        sp_line_reason *more = sp_realloc(recorded->more, size);
        if (more == NULL) {
            sp_lose_line();
            return;
        }
        recorded->more = more;
    }
    recorded->reason_count = count + 1;
    recorded->plain = false;
    recorded->measures |= table->first.memory != NULL;
    *sp_line_reason_at(recorded, count) = (sp_line_reason){table, NULL, NULL, why, false};
    sp_line_table_hold(table);
    place(recorded, count);
}

static void remove_reason(sp_line_frame *recorded, uint32_t i)
{
    sp_line_table_release(sp_line_reason_at(recorded, i)->table);
    recorded->reason_count--;
    for (uint32_t j = i; j < recorded->reason_count; j++)
        *sp_line_reason_at(recorded, j) = *sp_line_reason_at(recorded, j + 1);
    if (recorded->reason_count <= SP_LINE_REASONS) {
        sp_free(recorded->more);
        recorded->more = NULL;
    }
    place(recorded, i);
}

bool sp_line_leave_block(sp_line_frame *recorded, const sp_region *region, uint64_t now)
{
    for (uint32_t i = recorded->reason_count; i-- > 0;) {
        const sp_line_reason *reason = sp_line_reason_at(recorded, i);
        if (reason->why == SP_LINE_BLOCK && reason->table->region == region) {
            sp_line_stop(recorded, now);
            remove_reason(recorded, i);
            return true;
        }
    }
    return false;
}

bool sp_line_leave_watched(sp_line_frame *recorded)
{
    bool any = false;
    for (uint32_t i = recorded->reason_count; i-- > 0;) {
        if (sp_line_reason_at(recorded, i)->why != SP_LINE_WATCHED)
            continue;
        remove_reason(recorded, i);
        any = true;
    }
    return any;
}

void sp_line_leave_region(sp_line_frame *recorded, const void *region)
{
    for (uint32_t i = recorded->reason_count; i-- > 0;) {
        const sp_line_reason *reason = sp_line_reason_at(recorded, i);
        if (reason->table->region != region)
            continue;
        sp_cell *cell = reason->cells == NULL || recorded->line < 0 ? NULL : &reason->cells[recorded->line];
        if (cell != NULL && cell->hits != 0) /* a new run may have begun since */
            cell->hits--;
        remove_reason(recorded, i);
    }
}

/* ---- The stack --------------------------------------------------------------------------- */

bool sp_line_grow_stack(sp_line_thread *here)
{
    size_t count = (size_t)(here->stack.last - here->stack.frames) + 1;
    sp_line_frame *frames = sp_realloc(here->stack.frames, 2 * count * sizeof *frames);
    if (frames == NULL)
        return false;
    here->stack.top = frames + (here->stack.top - here->stack.frames);
    here->stack.frames = frames;
    here->stack.last = frames + 2 * count - 1;
    return true;
}

void sp_line_frame_free(sp_line_frame *recorded)
{
    if (recorded->code == NULL)
        return;
    if (recorded->mark != 0)
        sp_line_measure_nothing(recorded);
    recorded->code->frames--;
    while (recorded->reason_count != 0)
        sp_line_table_release(sp_line_reason_at(recorded, --recorded->reason_count)->table);
    sp_free(recorded->more);
}

void sp_line_pop_slow(sp_line_thread *here, uint64_t now)
{
    sp_line_frame *top = here->stack.top;
    bool of_call = top->reason_count == 0 && top->region != NULL;
    sp_line_ends(top, of_call                  ? SP_LINE_CALL
                      : top->reason_count == 0 ? SP_LINE_BLOCK
                                               : top->reasons[0].why);
    sp_line_detail_callee(here->stack.top, now);
    sp_line_close_frame(here, here->stack.top);
    sp_line_frame_free(here->stack.top--);
}

sp_line_frame *sp_line_find(sp_line_thread *here, const void *frame, const PyCodeObject *code)
{
    enum { NEAR = 8 };
    for (sp_line_frame *below = here->stack.top; below > here->stack.frames && here->stack.top - below < NEAR;
         below--) {
        if (below->frame == frame && below->code->code == code) {
            while (here->stack.top > below)
                sp_line_pop(here, 0);
            return below;
        }
    }
    return NULL;
}

/* ---- Suspending -------------------------------------------------------------------------- */

sp_line_frame sp_line_suspend(sp_line_thread *here, uint64_t now)
{
    sp_line_frame *top = here->stack.top; /* it will go on with the same line */
    uint64_t ticks = now - top->since;
    add_ticks(top, 0, ticks);
    sp_line_detail_pause(top, ticks);
    if (top->measures)
        sp_line_measure(top, -1);
    sp_line_detail_callee(top, now);
    if (top->reason_count != 0)
        sp_line_ends(top, top->decorated ? SP_LINE_STEP : top->reasons[0].why);
    top->since = now;
    if (sp_line_leave_watched(top)) /* those regions may be closed then */
        sp_line_rest_begin(top, now);
    sp_line_close_frame(here, top);
    return *here->stack.top--;
}

/* The frame goes on in another thread than before: it counts in tables of that. */
static void move_to(sp_line_thread *here, sp_line_frame *recorded)
{
    for (uint32_t i = 0; i < recorded->reason_count; i++) {
        sp_line_reason *reason = sp_line_reason_at(recorded, i);
        sp_line_table *before = reason->table;
        if (before->owner == here || before->region == NULL)
            continue;
        sp_line_table *table = sp_line_table_of(here, recorded->code, before->region);
        if (table == NULL)
            continue;
        reason->table = table;
        sp_line_table_hold(table);
        sp_line_table_release(before);
    }
    place(recorded, 0);
}

bool sp_line_resume(sp_line_thread *here, sp_line_frame *suspended, uint64_t now)
{
    if (!sp_line_has_room(here)) {
        sp_line_frame_free(suspended);
        sp_lose_line();
        return false;
    }
    sp_line_frame *top = ++here->stack.top;
    *top = *suspended;
    top->serial = ++here->last_serial;
    if (top->reason_count != 0 && SP_UNLIKELY(top->reasons[0].table->owner != here))
        move_to(here, top);
    sp_line_wait(top, now - top->since);
    top->since = top->begun = now;
    if (top[-1].line >= 0)
        sp_line_work_now(&top->before);
    top->plain &= top[-1].plain;
    if (top->measures)
        sp_line_measure_again(top);
    sp_line_open_frame(here, top);
    return true;
}
