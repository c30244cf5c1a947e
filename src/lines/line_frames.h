/* The stack of recorded frames that each thread has, or each of its greenlets, and why each frame is
 * recorded. line_types.h has the types. */
#ifndef SP_LINE_FRAMES_H
#define SP_LINE_FRAMES_H

#include "lines/line_columns.h"
#include "lines/line_open.h"
#include "lines/line_tables.h"

/* ---- The line that runs ------------------------------------------------------------------ */

/* The same for the reasons but the first, and for what was asked for besides. */
void sp_line_change_more(sp_line_frame *recorded, int line, uint64_t ticks);

/* Another line of the frame runs from now on, or with -1 none. */
SP_INLINE void sp_line_change(sp_line_frame *recorded, int line, uint64_t now)
{
    sp_cell *cells = recorded->reasons[0].cells;
    uint64_t ticks = now - recorded->since;
    if (SP_LIKELY(recorded->line >= 0))
        cells[recorded->line].ticks += ticks;
    if (SP_LIKELY(line >= 0)) {
        cells[line].hits++;
        sp_here.line_hits++;
    }
    if (SP_UNLIKELY(!recorded->plain))
        sp_line_change_more(recorded, line, ticks);
    recorded->line = line;
}

/* This frame's line is over, and its time with it. */
SP_INLINE void sp_line_stop(sp_line_frame *recorded, uint64_t now)
{
    if (recorded->line >= 0)
        sp_line_change(recorded, -1, now);
}

/* The line, less the first; -1 when it is none of the code's. */
SP_INLINE int sp_line_index(const sp_line_frame *recorded, int line)
{
    unsigned index = (unsigned)(line - recorded->first);
    return SP_LIKELY(index < (unsigned)recorded->count) ? (int)index : -1;
}

/* A line begins. */
SP_INLINE void sp_line_hit(sp_line_frame *recorded, int line, uint64_t now)
{
    sp_line_change(recorded, sp_line_index(recorded, line), now);
    recorded->since = sp_now();
}

/* ---- The stack --------------------------------------------------------------------------- */

/* Room for one more frame; false when memory is out. */
bool sp_line_grow_stack(sp_line_thread *here);
SP_INLINE bool sp_line_has_room(sp_line_thread *here)
{
    return SP_LIKELY(here->stack.top != here->stack.last) || sp_line_grow_stack(here);
}

/* Put a frame on the stack, which has room for it; as yet it is recorded for nothing. */
SP_INLINE sp_line_frame *sp_line_put(sp_line_thread *here, const void *frame, sp_line_code *code)
{
    sp_line_frame *top = ++here->stack.top;
    top->serial = ++here->last_serial;
    top->frame = frame;
    top->code = code;
    top->first = code->plan.first;
    top->count = code->plan.count;
    top->line = -1;
    top->reason_count = 0;
    top->so_far = top->callees = 0;
    top->more = NULL;
    top->region = NULL;
    top->mark = 0;
    top->measures = top->decorated = top->muted = false;
    top->plain = top[-1].plain;
    if (top[-1].line >= 0)
        sp_line_work_now(&top->before);
    if (SP_UNLIKELY(!top->plain))
        sp_line_detail_begin(top);
    code->frames++;
    return top;
}

/* The same, NULL when memory is out. */
SP_INLINE sp_line_frame *sp_line_push(sp_line_thread *here, const void *frame, sp_line_code *code)
{
    return sp_line_has_room(here) ? sp_line_put(here, frame, code) : NULL;
}

/* One more reason to record the frame: its lines count in the table too. The first is never refused;
 * another one counts nowhere when memory is out, which is told. */
void sp_line_add_more(sp_line_frame *recorded, sp_line_table *table, sp_line_why why);
SP_INLINE void sp_line_add_first(sp_line_frame *recorded, sp_line_table *table, sp_line_why why)
{
    recorded->reasons[0] = (sp_line_reason){table, &table->first, table->cells, why, false};
    recorded->reason_count = 1;
    if (SP_UNLIKELY((table->first.details != NULL) | (table->first.memory != NULL))) {
        recorded->plain = false;
        recorded->measures = table->first.memory != NULL;
    }
    sp_line_table_hold(table);
}
SP_INLINE void sp_line_add(sp_line_frame *recorded, sp_line_table *table, sp_line_why why)
{
    if (recorded->reason_count == 0)
        sp_line_add_first(recorded, table, why);
    else
        sp_line_add_more(recorded, table, why);
}

/* The innermost block of the region is no reason any longer, at this time; false when it was none. */
bool sp_line_leave_block(sp_line_frame *recorded, const struct sp_region *region, uint64_t now);
/* No region that watches its code is a reason any longer; whether one was. */
bool sp_line_leave_watched(sp_line_frame *recorded);
/* This region is none any longer, and its line that has not ended counts for it no more. */
void sp_line_leave_region(sp_line_frame *recorded, const void *region);

/* Free what a frame owns that is not on the stack. */
void sp_line_frame_free(sp_line_frame *recorded);

/* The top frame leaves the stack. */
SP_INLINE void sp_line_ends(sp_line_frame *top, sp_line_why why)
{
    sp_here.line_frames[why]++;
    if (top[-1].line >= 0)
        sp_line_add_work(top);
}

/* The top frame is not recorded any longer, from this time on; 0 when it ended before, unseen. What it had
 * open is closed. */
void sp_line_pop_slow(sp_line_thread *here, uint64_t now);
SP_INLINE void sp_line_pop(sp_line_thread *here, uint64_t now)
{
    sp_line_frame *top = here->stack.top;
    if (SP_UNLIKELY(top->reason_count != 1 || !top->plain || here->stack.open_count != 0)) {
        sp_line_pop_slow(here, now);
        return;
    }
    top->code->frames--;
    sp_line_ends(top, top->reasons[0].why);
    sp_line_table_release(top->reasons[0].table);
    here->stack.top--;
}

/* Take the top frame off the stack, for going on with it later: what is returned owns all it had. Until
 * then it waits, at its line. */
sp_line_frame sp_line_suspend(sp_line_thread *here, uint64_t now);
/* Put it back, in this thread; false when memory is out, and then it is freed. */
SP_MUST_USE bool sp_line_resume(sp_line_thread *here, sp_line_frame *suspended, uint64_t now);

/* The recorded frame near the top that is this one and runs this code; those above it have ended.
 * NULL when there is none. */
sp_line_frame *sp_line_find(sp_line_thread *here, const void *frame, const PyCodeObject *code);

#endif
