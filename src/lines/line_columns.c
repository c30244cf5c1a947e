#include "lines/line_columns.h"

#include "base/heap.h"
#include "record/counters.h"

/* The frame waited at the line for so many ticks, for this reason. */
static void wait_for(const sp_line_frame *recorded, const sp_line_reason *reason, int line,
                     uint64_t ticks)
{
    sp_line_columns *columns = reason->columns;
    if (columns == NULL || line < 0)
        return;
    if (columns->waiting == NULL)
        columns->waiting = sp_calloc((size_t)recorded->count, sizeof *columns->waiting);
    if (columns->waiting == NULL)
        sp_lose_line();
    else
        columns->waiting[line] += ticks;
}

void sp_line_wait(sp_line_frame *recorded, uint64_t ticks)
{
    for (uint32_t i = 0; i < recorded->reason_count; i++)
        wait_for(recorded, sp_line_reason_at(recorded, i), recorded->line, ticks);
}

void sp_line_wait_watched(sp_line_frame *recorded, int line, uint64_t ticks)
{
    for (uint32_t i = 0; i < recorded->reason_count; i++) {
        const sp_line_reason *reason = sp_line_reason_at(recorded, i);
        if (reason->why == SP_LINE_WATCHED)
            wait_for(recorded, reason, line, ticks);
    }
}

static void add_work(sp_line_work *into, const sp_line_work *before, const sp_line_work *now)
{
    into->hits += now->hits - before->hits;
    for (int why = 0; why < SP_LINE_FRAMES; why++)
        into->frames[why] += now->frames[why] - before->frames[why];
}

SP_NOINLINE void sp_line_add_work(sp_line_frame *recorded)
{
    sp_line_frame *below = recorded - 1;
    sp_line_work now;
    sp_line_work_now(&now);
    for (uint32_t i = 0; i < below->reason_count; i++) {
        sp_line_columns *columns = sp_line_reason_at(below, i)->columns;
        if (columns == NULL)
            continue;
        if (columns->below == NULL)
            columns->below = sp_calloc((size_t)below->count, sizeof *columns->below);
        if (columns->below == NULL)
            sp_lose_line();
        else
            add_work(&columns->below[below->line], &recorded->before, &now);
    }
}

/* ---- On request -------------------------------------------------------------------------- */

bool sp_line_details_make(sp_line_columns *columns, int lines)
{
    columns->details = sp_calloc((size_t)lines, sizeof *columns->details);
    for (int i = 0; columns->details != NULL && i < lines; i++)
        columns->details[i].shortest = UINT64_MAX;
    return columns->details != NULL;
}

/* What this reason keeps of a line, or NULL. */
static sp_line_detail *detail_of(sp_line_frame *recorded, uint32_t reason, int line)
{
    const sp_line_columns *columns = sp_line_reason_at(recorded, reason)->columns;
    return line < 0 || columns == NULL || columns->details == NULL ? NULL
                                                                   : &columns->details[line];
}

void sp_line_detail_begin(sp_line_frame *recorded) { recorded->begun = sp_now(); }

/* What frames above have taken is the line's. */
static void take_callees(sp_line_frame *recorded)
{
    for (uint32_t i = 0; recorded->callees != 0 && i < recorded->reason_count; i++) {
        sp_line_detail *detail = detail_of(recorded, i, recorded->line);
        if (detail != NULL)
            detail->callees += recorded->callees;
    }
    recorded->callees = 0;
}

void sp_line_detail_hit(sp_line_frame *recorded, uint64_t ticks)
{
    uint64_t all = recorded->so_far + ticks;
    take_callees(recorded);
    recorded->so_far = 0;
    for (uint32_t i = 0; i < recorded->reason_count; i++) {
        sp_line_detail *detail = detail_of(recorded, i, recorded->line);
        if (detail == NULL)
            continue;
        if (all < detail->shortest)
            detail->shortest = all;
        if (all > detail->longest)
            detail->longest = all;
        sp_sketch_add(&detail->hits, all);
    }
}

void sp_line_detail_pause(sp_line_frame *recorded, uint64_t ticks)
{
    if (recorded->plain)
        return;
    take_callees(recorded);
    recorded->so_far += ticks;
}

void sp_line_detail_callee(sp_line_frame *recorded, uint64_t now)
{
    sp_line_frame *below = recorded - 1;
    if (!below->plain && below->line >= 0 && now != 0)
        below->callees += now - recorded->begun;
}

void sp_line_detail_raised(sp_line_frame *recorded, int line)
{
    for (uint32_t i = 0; i < recorded->reason_count; i++) {
        sp_line_detail *detail = detail_of(recorded, i, line);
        if (detail != NULL)
            detail->raised++;
    }
}

void sp_line_columns_clear(sp_line_columns *columns, int lines)
{
    for (int i = 0; columns->details != NULL && i < lines; i++)
        sp_sketch_free(&columns->details[i].hits);
    sp_free(columns->details);
    sp_free(columns->waiting);
    sp_free(columns->below);
    sp_free(columns->memory);
    *columns = (sp_line_columns){.cells = columns->cells};
}
