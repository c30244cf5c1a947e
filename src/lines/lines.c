#include "lines/lines.h"

#include "base/heap.h"
#include "base/thread_guard.h"
#include "lines/line_backend.h"
#include "lines/line_match.h"
#include "lines/line_tables.h"
#include "record/counters.h"

/* ---- Decorated calls --------------------------------------------------------------------- */

/* Where the lines of a decorated call go; NULL with `wanted` false when they are not wanted, true
 * when they are lost. */
static sp_line_table *call_table(sp_line_thread *here, sp_region *region, PyCodeObject *code,
                                 bool *wanted)
{
    sp_line_table *table = sp_line_table_recall(here, code, region);
    if (table != NULL)
        return table;
    sp_line_code *entry = sp_line_code_get(region->manager, code);
    *wanted = entry == NULL || (entry->plan.count != 0 && entry->plan.calls);
    if (entry == NULL || !*wanted)
        return NULL;
    sp_line_code_lines_stay_on(entry);
    table = sp_line_table_of(here, entry, region);
    if (table != NULL)
        sp_line_table_remember(here, table);
    return table;
}

/* Where the lines of a call go that has none, or none that are wanted, but opens its region. */
static sp_line_code no_code;

/* Decorated twice: the frame of the outer call is this one's, and its lines count for both. */
static void add_outer(const sp_line_thread *here, sp_line_frame *call)
{
    sp_line_frame *outer = here->stack.top - 1;
    for (uint32_t i = 0; i < outer->reason_count; i++)
        sp_line_add(call, sp_line_reason_at(outer, i)->table, SP_LINE_CALL);
}

static uint64_t call_begin(sp_region *region, PyCodeObject *code)
{
    if (sp_unrecorded_for(region->manager))
        return 0;
    sp_line_thread *here = sp_line_thread_here();
    bool wanted = code != NULL;
    sp_line_table *table =
        here == NULL || code == NULL ? NULL : call_table(here, region, code, &wanted);
    if (table == NULL) {
        if (wanted)
            sp_lose_line();
        if (here == NULL || region->watches == NULL)
            return 0;
    }
    sp_line_frame *call = table != NULL ? sp_line_push(here, NULL, table->code)
                                        : sp_line_push(here, here, &no_code);
    if (call == NULL) {
        sp_lose_line();
        return 0;
    }
    call->region = region;
    if (table != NULL) {
        call->decorated = true;
        if (call[-1].frame == NULL && call[-1].code == call->code)
            add_outer(here, call);
        sp_line_add(call, table, SP_LINE_CALL);
    }
    if (region->watches != NULL)
        sp_line_open(here, region);
    return sp_lines_mark(call);
}

uint64_t sp_lines_call_begin_slow(sp_region *region, PyCodeObject *code)
{
    sp_shared_take();
    uint64_t mark = call_begin(region, code);
    sp_shared_release();
    return mark;
}

/* Take all that have at least this serial number off the stack. */
static void pop_from(sp_line_thread *here, uint64_t serial, uint64_t now)
{
    while (here->stack.top->serial >= serial) {
        sp_line_stop(here->stack.top, now);
        sp_line_pop(here, now);
    }
}

static void call_end(uint64_t mark, uint64_t now)
{
    sp_line_thread *here = sp_line_thread_here();
    if (here != NULL)
        pop_from(here, mark / 2, now);
    sp_line_trace_callee(mark & 1);
}

void sp_lines_call_end_slow(uint64_t mark, uint64_t now)
{
    sp_shared_take();
    call_end(mark, now);
    sp_shared_release();
}

static uint64_t step_begin(sp_region *region, PyCodeObject *code, sp_line_frame *suspended)
{
    sp_line_thread *here = sp_line_thread_here();
    if (suspended->code == NULL || here == NULL)
        return call_begin(region, code);
    bool on = sp_line_resume(here, suspended, sp_now());
    suspended->code = NULL;
    return on ? sp_lines_mark(here->stack.top) : 0;
}

uint64_t sp_lines_step_begin(sp_region *region, PyCodeObject *code, sp_line_frame *suspended)
{
    sp_shared_take();
    uint64_t mark = step_begin(region, code, suspended);
    sp_shared_release();
    return mark;
}

static void step_end(uint64_t mark, sp_line_frame *suspended, uint64_t now)
{
    sp_line_thread *here = sp_line_thread_here();
    if (suspended == NULL) {
        call_end(mark, now);
        return;
    }
    if (SP_LIKELY(here != NULL)) {
        pop_from(here, mark / 2 + 1, now);
        if (SP_LIKELY(here->stack.top->serial == mark / 2))
            *suspended = sp_line_suspend(here, now);
    }
    sp_line_trace_callee(mark & 1);
}

void sp_lines_step_end(uint64_t mark, sp_line_frame *suspended, uint64_t now)
{
    sp_shared_take();
    step_end(mark, suspended, now);
    sp_shared_release();
}

void sp_lines_suspended_free(sp_line_frame *suspended)
{
    sp_shared_take();
    if (suspended->code != NULL)
        sp_line_frame_free(suspended);
    suspended->code = NULL;
    sp_shared_release();
}

/* ---- Blocks ------------------------------------------------------------------------------ */

/* The code of the frame that runs, when it is at a `with` statement that enters. What enters in another
 * way, as the __enter__() of a program's own context manager does, leaves in another frame or never: the
 * frame that entered would be recorded, and nothing would end that. */
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
    sp_line_code_lines_stay_on(code);
    return code;
}

static void block_enter(sp_region *region, const void *frame)
{
    sp_line_thread *here = sp_unrecorded_for(region->manager) ? NULL : sp_line_thread_here();
    if (here != NULL && SP_UNLIKELY(region->watches != NULL))
        sp_line_open(here, region);
    sp_line_code *code = here == NULL ? NULL : code_of_with(region->manager);
    if (code == NULL)
        return;
    /* The first event of a decorated call may have been missed: a body on the `def` line. */
    sp_line_frame *recorded = sp_line_match(frame, code->code, sp_now());
    sp_line_table *table = sp_line_table_of(here, code, region);
    bool begins = recorded == NULL && table != NULL;
    if (begins)
        recorded = sp_line_push(here, frame, code);
    if (table == NULL || recorded == NULL) {
        sp_lose_line();
        return;
    }
    sp_line_stop(recorded, sp_now());
    sp_line_add(recorded, table, SP_LINE_BLOCK);
    if (begins)
        sp_line_trace_running(true);
}

void sp_lines_block_enter(sp_region *region, const void *frame)
{
    sp_shared_take();
    region->has_lines = true; /* it may be left when line mode is over */
    block_enter(region, frame);
    sp_shared_release();
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
    sp_line_frame *recorded = here->stack.top;
    if (SP_UNLIKELY(recorded->frame != frame))
        recorded = match_running(frame, now);
    bool has_block = recorded != NULL && sp_line_leave_block(recorded, region, now);
    if (has_block || !sp_unrecorded_for(region->manager)) /* else nothing was opened */
        sp_line_close(here, region);
    if (has_block && recorded->reason_count == 0) {
        sp_line_pop(here, now);
        sp_line_trace_running(false);
    }
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
    each_stack(sp_line_close_all, region);
    for (sp_line_thread *thread = sp_line_threads; thread != NULL; thread = thread->next)
        sp_line_switched_forget(thread, region);
    sp_line_tables_forget(region);
    sp_line_switches -= region->line_switch != NULL;
    sp_free(region->line_switch);
    sp_resume_threads();
    sp_shared_release();
}

void sp_lines_reset(sp_manager *manager)
{
    each_stack(sp_line_reopen, manager);
    sp_line_tables_reset(manager);
}
