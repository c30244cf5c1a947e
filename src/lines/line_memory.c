#include "lines/line_memory.h"

#include "base/heap.h"
#include "base/thread_guard.h"

bool sp_line_memory_make(sp_line_columns *columns, int lines)
{
    columns->memory = sp_calloc((size_t)lines, sizeof *columns->memory);
    return columns->memory != NULL;
}

static void add(sp_line_memory *sum, const sp_memory_span *span, int64_t before, int64_t after)
{
    sp_memory_span_add(&sum->span, span);
    if (before < 0 || after < 0)
        return;
    sum->grown += after - before;
    if (after > sum->resident)
        sum->resident = after;
}

/* For all reasons of the frame that measure. */
static void note(sp_line_frame *recorded, const sp_memory_span *span, int64_t resident)
{
    for (uint32_t i = 0; i < recorded->reason_count; i++) {
        const sp_line_reason *reason = sp_line_reason_at(recorded, i);
        sp_line_columns *columns = reason->columns;
        if (columns != NULL && columns->memory != NULL)
            add(&columns->memory[recorded->line], span, recorded->resident, resident);
    }
}

/* What the process uses after a line, which has taken so much. Most of what is taken is put where as much was
 * given back, and then the resident set stays. */
static int64_t resident_after(const sp_memory_counts *counts, sp_resident_reading *last)
{
    enum { PAGE = 4096 };
    uint64_t taken = counts->allocated, freed = counts->freed;
    uint64_t left = taken > freed ? taken - freed : freed - taken;
    bool is_much = left >= PAGE || taken + freed >= 16 * PAGE;
    if (is_much && freed < PAGE && taken < 16 * PAGE)
        return sp_resident_grown(last);
    return sp_resident_lately(last, is_much);
}

void sp_line_measure(sp_line_frame *recorded, int line)
{
    sp_memory_span span;
    sp_guard_take();
    bool measured = sp_memory_mark_end(recorded->mark, &span);
    recorded->mark = 0;
    sp_thread_memory *mine = sp_thread_memory_here();
    int64_t resident = -1;
    if (mine != NULL)
        resident = measured ? resident_after(&span.counts, &mine->resident)
                            : sp_resident_lately(&mine->resident, false);
    if (measured && recorded->line >= 0)
        note(recorded, &span, resident);
    recorded->resident = resident;
    if (line >= 0)
        recorded->mark = sp_memory_mark_begin();
    sp_guard_release();
}

void sp_line_measure_again(sp_line_frame *recorded)
{
    int line = recorded->line;
    recorded->line = -1;
    sp_line_measure(recorded, line);
    recorded->line = line;
}

void sp_line_measure_nothing(sp_line_frame *recorded)
{
    sp_guard_take();
    sp_memory_mark_drop(recorded->mark);
    recorded->mark = 0;
    sp_guard_release();
}
