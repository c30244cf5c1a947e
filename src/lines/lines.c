#include "lines/lines.h"

#include "base/thread_guard.h"
#include "lines/line_backend.h"
#include "lines/line_match.h"
#include "lines/line_tables.h"
#include "record/counters.h"

/* What this thread records, where something more of it may begin; else NULL. */
SP_INLINE sp_line_thread *thread_to_record(const sp_manager *manager)
{
    return SP_LIKELY(!sp_unrecorded_for(manager)) ? sp_line_thread_here() : NULL;
}

/* ---- Decorated calls --------------------------------------------------------------------- */

/* Where the lines of a decorated call go; NULL with `wanted` false when they are not wanted, true
 * when they are lost. */
static SP_NOINLINE sp_line_table *call_table_slow(sp_line_thread *here, sp_region *region,
                                                  PyCodeObject *code, bool *wanted)
{
    sp_line_code *entry = sp_line_code_get(region->manager, code);
    *wanted = entry == NULL || entry->plan.count != 0;
    if (entry == NULL || !*wanted)
        return NULL;
    sp_line_code_keep(entry);
    /* Decorated twice: the frame of the outer call is this one's, and its lines go to both. */
    if (here->top->frame == NULL && here->top->table->code == entry)
        return sp_line_table_get(here, entry, here->top->table->set, region);
    return sp_line_table_get(here, entry, NULL, region);
}

SP_INLINE sp_line_table *call_table(sp_line_thread *here, sp_region *region, PyCodeObject *code,
                                    bool *wanted)
{
    size_t slot = (((uintptr_t)code >> 4) ^ ((uintptr_t)region >> 4)) % SP_LINE_CALLS;
    if (SP_LIKELY(here->calls[slot].region == region
                  && here->calls[slot].table->code->code == code && here->top->frame != NULL))
        return here->calls[slot].table;
    sp_line_table *table = call_table_slow(here, region, code, wanted);
    if (table != NULL && here->top->frame != NULL) {
        here->calls[slot].region = region;
        here->calls[slot].table = table;
    }
    return table;
}

/* Where the lines of a call go that has none, or none that are wanted, but opens its region. */
static sp_line_code no_code;
static sp_line_table nowhere = {.code = &no_code};

/* The mark is the serial number of the call's frame, and whether its caller was traced. */
static uint64_t mark_top(const sp_line_thread *here)
{
    return here->top->serial * 2 | sp_line_trace_callee(true);
}

static uint64_t call_begin(sp_region *region, PyCodeObject *code)
{
    sp_line_thread *here = thread_to_record(region->manager);
    bool wanted = code != NULL && !sp_unrecorded_for(region->manager);
    sp_line_frame call = {.region = region};
    if (SP_LIKELY(here != NULL && code != NULL))
        call.table = call.call = call.own = call_table(here, region, code, &wanted);
    if (SP_UNLIKELY(call.table == NULL)) {
        if (wanted)
            sp_lose_line();
        if (here == NULL || region->watches == NULL)
            return 0;
        call.table = &nowhere;
        call.frame = here; /* no frame that runs */
    }
    if (SP_LIKELY(sp_line_push(here, &call)))
        return mark_top(here);
    sp_lose_line();
    return 0;
}

uint64_t sp_lines_call_begin(sp_region *region, PyCodeObject *code)
{
    sp_shared_take();
    uint64_t mark = call_begin(region, code);
    sp_shared_release();
    return mark;
}

/* Take all that have at least this serial number off the stack. */
static void pop_from(sp_line_thread *here, uint64_t serial, uint64_t now)
{
    while (here->top->serial >= serial) {
        sp_line_stop(here->top, now);
        sp_line_pop(here);
    }
}

static void call_end(uint64_t mark)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_thread_here();
    if (SP_LIKELY(here != NULL))
        pop_from(here, mark / 2, now);
    sp_line_trace_callee(mark & 1);
}

void sp_lines_call_end(uint64_t mark)
{
    sp_shared_take();
    call_end(mark);
    sp_shared_release();
}

static uint64_t step_begin(sp_region *region, PyCodeObject *code, sp_line_frame *kept)
{
    sp_line_thread *here = sp_line_thread_here();
    if (kept->table == NULL || here == NULL)
        return call_begin(region, code);
    bool on = sp_line_put_back(here, kept, sp_now());
    *kept = (sp_line_frame){0};
    return on ? mark_top(here) : 0;
}

uint64_t sp_lines_step_begin(sp_region *region, PyCodeObject *code, sp_line_frame *kept)
{
    sp_shared_take();
    uint64_t mark = step_begin(region, code, kept);
    sp_shared_release();
    return mark;
}

static void step_end(uint64_t mark, sp_line_frame *kept)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_thread_here();
    if (SP_LIKELY(here != NULL)) {
        pop_from(here, mark / 2 + 1, now);
        if (SP_LIKELY(here->top->serial == mark / 2))
            *kept = sp_line_lift(here, now);
    }
    sp_line_trace_callee(mark & 1);
}

void sp_lines_step_end(uint64_t mark, sp_line_frame *kept)
{
    sp_shared_take();
    step_end(mark, kept);
    sp_shared_release();
}

void sp_lines_step_drop(sp_line_frame *kept)
{
    sp_shared_take();
    sp_line_drop(kept);
    *kept = (sp_line_frame){0};
    sp_shared_release();
}

/* ---- Blocks ------------------------------------------------------------------------------ */

/* The code of the frame that runs, when it is at a `with` statement that enters. */
static sp_line_code *code_of_with(sp_manager *manager)
{
    PyFrameObject *running = PyEval_GetFrame();
    PyCodeObject *borrowed = running == NULL ? NULL : PyFrame_GetCode(running);
    if (borrowed == NULL)
        return NULL;
    sp_line_code *code = sp_line_code_get(manager, borrowed);
    Py_DECREF(borrowed);
    if (code == NULL) {
        sp_lose_line();
        return NULL;
    }
    const sp_line_plan *plan = &code->plan;
    if (plan->count == 0
        || !sp_line_offset_in(plan->withs, plan->with_count, PyFrame_GetLasti(running)))
        return NULL;
    sp_line_code_keep(code);
    return code;
}

static void block_enter(sp_region *region, const void *frame)
{
    sp_line_thread *here = thread_to_record(region->manager);
    if (here != NULL && SP_UNLIKELY(region->watches != NULL))
        sp_line_open(here, region);
    sp_line_code *code = here == NULL ? NULL : code_of_with(region->manager);
    if (code == NULL)
        return;
    /* The first event of a decorated call may have been missed: a body on the `def` line. */
    sp_line_frame *recorded = sp_line_match(frame, code->code, sp_now());
    sp_line_block *block = sp_line_block_new(region, recorded == NULL ? NULL : recorded->blocks);
    if (block == NULL)
        goto lost;
    sp_line_table *table =
        sp_line_table_get(here, code, recorded == NULL ? NULL : recorded->table->set, region);
    if (table == NULL)
        goto lost;
    if (recorded != NULL) {
        sp_line_stop(recorded, sp_now());
        sp_line_turn_to(recorded, table);
        recorded->blocks = block;
        return;
    }
    sp_line_frame fresh = {.frame = frame, .table = table, .blocks = block};
    if (sp_line_push(here, &fresh)) {
        sp_line_trace_running(true);
        return;
    }
lost:
    if (block != NULL)
        sp_line_block_free(block);
    sp_lose_line();
}

void sp_lines_block_enter(sp_region *region, const void *frame)
{
    sp_shared_take();
    block_enter(region, frame);
    sp_shared_release();
}

/* Take the innermost block of the region off the frame's; false when it has none. */
static bool pop_block(sp_line_frame *recorded, const sp_region *region)
{
    for (sp_line_block **link = &recorded->blocks; *link != NULL; link = &(*link)->outer) {
        sp_line_block *block = *link;
        if (block->region == region) {
            *link = block->outer;
            sp_line_block_free(block);
            return true;
        }
    }
    return false;
}

/* The recorded frame of the one that runs, or NULL. */
static SP_NOINLINE sp_line_frame *match_running(const void *frame, uint64_t now)
{
    PyFrameObject *running = PyEval_GetFrame();
    if (running == NULL)
        return NULL;
    PyCodeObject *code = PyFrame_GetCode(running);
    sp_line_frame *recorded = sp_line_match(frame, code, now);
    Py_DECREF(code);
    return recorded;
}

static void block_leave(sp_region *region, const void *frame)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_thread_here();
    if (here == NULL)
        return;
    sp_line_frame *recorded = here->top;
    if (SP_UNLIKELY(recorded->frame != frame))
        recorded = match_running(frame, now);
    bool has_block = recorded != NULL && pop_block(recorded, region);
    if (has_block || !sp_unrecorded_for(region->manager)) /* else nothing was opened */
        sp_line_close(here, region);
    if (!has_block)
        return;
    sp_line_stop(recorded, now);
    sp_line_table *table = sp_line_table_now(here, recorded, recorded->blocks);
    if (table != NULL) {
        sp_line_turn_to(recorded, table);
        return;
    }
    sp_line_pop(here);
    sp_line_trace_running(false);
}

void sp_lines_block_leave(sp_region *region, const void *frame)
{
    sp_shared_take();
    block_leave(region, frame);
    sp_shared_release();
}

/* ---- Forgetting -------------------------------------------------------------------------- */

static void each_stack(void (*visit)(sp_line_thread *, const void *), const void *argument)
{
    for (sp_line_thread *thread = sp_line_threads; thread != NULL; thread = thread->next)
        sp_line_each_stack(thread, visit, argument);
}

void sp_lines_forget(sp_region *region)
{
    sp_shared_take();
    sp_stop_threads();
    sp_line_codes_unwatch(region);
    sp_line_blocks_forget(region);
    each_stack(sp_line_close_all, region);
    sp_line_tables_forget(region);
    sp_resume_threads();
    sp_shared_release();
}

void sp_lines_reset(sp_manager *manager)
{
    each_stack(sp_line_reopen, manager);
    sp_line_tables_reset(manager);
}
