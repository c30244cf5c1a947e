#include "lines/line_columns.h"

#include "base/heap.h"
#include "record/counters.h"

/* What a reason of the frame counts in, or NULL. */
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

void sp_line_columns_clear(sp_line_columns *columns)
{
    sp_free(columns->waiting);
    columns->waiting = NULL;
}
