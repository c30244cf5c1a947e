/* The steps of a decorated generator or coroutine, and those of a task: what is recorded of them. */
#ifndef SP_GENERATOR_STEP_H
#define SP_GENERATOR_STEP_H

#include "calls/tracings.h"
#include "lines/line_switch.h"
#include "lines/lines.h"
#include "record/after_call.h"
#include "record/annotations.h"
#include "record/metadata.h"
#include "record/stepped.h"
#include "record/task.h"

typedef struct {
    sp_task *task;      /* it is entered for each step, and the rest unused; or NULL. Owned. */
    sp_region *region;  /* Owned. */
    PyObject *code;     /* of the decorated function. Owned. */
    PyObject *metadata; /* scope that is in force in every step, or NULL. Owned. */
    sp_stepped call;
    sp_line_frame line; /* between steps, in line mode */
    bool record_outcome;
    bool started, over;
} sp_generator_steps;

/* What the end of a step takes back. */
#define SP_STEP_SWITCHED UINT64_MAX
typedef struct {
    uint64_t line;  /* mark of the lines, or 0; or the region was switched on, and that is all */
    uint64_t calls; /* traced section, or 0 */
} sp_step;

SP_INLINE sp_step sp_step_begin(sp_generator_steps *steps)
{
    sp_step begun = {0, 0};
    if (SP_UNLIKELY(steps->task != NULL)) {
        sp_task_enter(steps->task);
        steps->started = true;
        return begun;
    }
    sp_region *region = steps->region;
    if (SP_UNLIKELY(region->line_switch != NULL) && sp_region_counts_lines(region)) {
        sp_line_switch_up(region, true);
        steps->started = true;
        begun.line = SP_STEP_SWITCHED;
        return begun;
    }
    if (SP_UNLIKELY(sp_region_counts_lines(region)))
        begun.line = sp_lines_step_begin(region, (PyCodeObject *)steps->code, &steps->line);
    if (SP_UNLIKELY(sp_section_wanted(region)))
        begun.calls = sp_section_begin(region->manager);
    if (SP_UNLIKELY(steps->metadata != NULL))
        sp_metadata_push(steps->metadata);
    sp_annotation annotation = sp_metadata_for(region);
    sp_guard_take();
    sp_open_call_enter(region->manager, region, steps, annotation);
    if (!steps->started && sp_here.run == region->manager->run) {
        steps->started = true;
        steps->call = sp_stepped_begin(sp_here.thread->stack.top);
    }
    sp_guard_release();
    if (SP_UNLIKELY(annotation.number != 0 && steps->call.kept == NULL)) {
        sp_shared_take();
        steps->call.kept = sp_annotation_keep(region->manager, steps->call.annotation);
        sp_shared_release();
    }
    return begun;
}

/* Take the step's open call off the stack; the last one makes it a call. */
SP_INLINE void sp_step_leave(sp_generator_steps *steps, sp_outcome how, uint64_t now)
{
    sp_manager *manager = steps->region->manager;
    bool ends = how != SP_STEP_GOES_ON, failed = how == SP_STEP_FAILS;
    sp_annotation annotation = {steps->call.run, steps->call.annotation};
    if (SP_UNLIKELY(ends && steps->record_outcome))
        annotation = sp_annotation_outcome(manager, annotation, failed);
    sp_guard_take();
    steps->call.annotation = sp_annotation_in(manager, annotation);
    sp_open_call *open = sp_open_call_pop(manager, steps->region, steps, now);
    if (open != NULL)
        sp_stepped_pause(&steps->call, sp_here.thread, open, now, SP_STEP);
    /* Of a generator that ends while code of ours is under way, the last step alone is not
     * recorded. */
    bool recorded = open != NULL
                    || (sp_unrecorded_for(manager) && sp_thread_find(manager) != NULL);
    if (ends && recorded && steps->call.run == manager->run && steps->call.node != NULL)
        sp_stepped_end(&steps->call, sp_here.thread, now, failed, SP_GENERATOR);
    sp_guard_release();
}

SP_INLINE void sp_step_end(sp_generator_steps *steps, sp_step begun, sp_outcome how)
{
    if (SP_UNLIKELY(steps->task != NULL)) {
        steps->over = how != SP_STEP_GOES_ON;
        sp_task_leave(steps->task, steps->over);
        return;
    }
    if (SP_UNLIKELY(begun.line == SP_STEP_SWITCHED)) {
        sp_line_switch_down(steps->region);
        steps->over = how != SP_STEP_GOES_ON;
        return;
    }
    uint64_t now = sp_now();
    sp_step_leave(steps, how, now);
    sp_after_call(steps->region->manager, now);
    if (SP_UNLIKELY(steps->metadata != NULL))
        sp_metadata_pop(steps->metadata);
    if (SP_UNLIKELY(begun.calls != 0))
        sp_section_end(begun.calls);
    if (SP_UNLIKELY(begun.line != 0))
        sp_lines_step_end(begun.line, how == SP_STEP_GOES_ON ? &steps->line : NULL, now);
    if (how != SP_STEP_GOES_ON)
        steps->over = true;
}

#endif
