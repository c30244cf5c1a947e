#include "lines/line_switch.h"

#include "base/heap.h"
#include "base/thread_guard.h"
#include "lines/line_backend.h"
#include "lines/lines_watch.h"
#include "record/counters.h"

int sp_line_switch_make(sp_region *region)
{
    if (region->line_switch != NULL)
        return 0;
    region->line_switch = sp_calloc(1, sizeof *region->line_switch);
    sp_line_switches += region->line_switch != NULL;
    if (region->line_switch != NULL)
        return 0;
    PyErr_NoMemory();
    return -1;
}

/* ---- What a thread has switched ---------------------------------------------------------- */

/* Made when missing; NULL when memory is out, which is told. */
SP_INLINE sp_line_switched *find_or_add(sp_line_thread *here, sp_region *region)
{
    if (SP_UNLIKELY(here == NULL))
        return NULL;
    sp_line_switched *switched = sp_line_switched_find(here, region);
    if (SP_UNLIKELY(switched == NULL) && (switched = sp_line_switched_add(here, region)) == NULL)
        sp_lose_line();
    return switched;
}

static void begin(sp_line_thread *here, sp_line_switched *switched)
{
    sp_line_switched_begin(here, switched);
    if (SP_UNLIKELY(switched->region->line_switch->asleep))
        sp_line_codes_wake(switched->region);
}

/* The frames of the stack in use count for the region no longer. Those that counted for nothing else
 * go; nobody has a pointer to one. */
static void strip_frames(sp_line_thread *here, const void *region)
{
    sp_line_frame *kept = here->stack.frames;
    for (sp_line_frame *recorded = kept + 1; recorded <= here->stack.top; recorded++) {
        bool counted = recorded->reason_count != 0;
        sp_line_leave_region(recorded, region);
        if (counted && recorded->reason_count == 0 && recorded->region == NULL)
            sp_line_frame_free(recorded);
        else if (++kept != recorded)
            *kept = *recorded;
    }
    here->stack.top = kept;
}

static void end_here(sp_line_thread *here, sp_line_switched *switched)
{
    sp_line_switched_end(here, switched);
    if (here->stack.top != here->stack.frames || here->other_count != 0)
        sp_line_each_stack(here, strip_frames, switched->region);
    sp_line_trace_below(here, NULL);
}

/* ---- Frames that run already ------------------------------------------------------------- */

sp_line_frame *sp_line_frame_runs(const void *frame, PyCodeObject *code)
{
    sp_line_thread *here = sp_line_here;
    if (here == NULL || here->on_count == 0)
        return NULL;
    sp_line_frame *again =
        here->bottom == sp_stack_bottom() ? sp_line_frame_begins_again(here, frame, code) : NULL;
    if (again != NULL)
        return again;
    const sp_line_code *entry = sp_line_code_find(code);
    bool wanted = false;
    for (uint32_t i = 0; entry != NULL && entry->watches != NULL && !wanted && i < here->switched_count; i++)
        wanted = here->switched[i].on && sp_line_code_watched_by(entry, here->switched[i].region);
    return wanted ? sp_line_frame_begins(frame, code, false) : NULL;
}

/* Those of the region's code get line events: the outermost one is returned, or NULL for none. A new
 * reference. */
static PyFrameObject *running_frames(const sp_region *region)
{
    PyFrameObject *outermost = NULL;
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef(PyEval_GetFrame());
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        sp_line_code *entry = sp_line_code_find(code);
        if (entry != NULL && sp_line_code_watched_by(entry, region)
            && sp_line_code_plan(region->manager, entry) && entry->plan.count != 0) {
            sp_line_code_lines_on(entry);
            Py_XSETREF(outermost, (PyFrameObject *)Py_NewRef(frame));
        }
        Py_DECREF(code);
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    return outermost;
}

static void begin_here(sp_line_thread *here, sp_line_switched *switched)
{
    sp_region *region = switched->region;
    begin(here, switched);
    PyFrameObject *outermost = region->watches == NULL ? NULL : running_frames(region);
    if (outermost != NULL)
        sp_line_trace_below(here, outermost);
    Py_XDECREF(outermost);
}

/* ---- Switching --------------------------------------------------------------------------- */

static void switch_on(sp_region *region)
{
    sp_line_thread *here = sp_line_thread_here();
    sp_line_switched *switched = find_or_add(here, region);
    if (switched == NULL)
        return;
    switched->held = true;
    if (!switched->on)
        begin_here(here, switched);
}

void sp_line_switch_on(sp_region *region)
{
    sp_shared_take();
    switch_on(region);
    sp_shared_release();
}

static void switch_off(const sp_region *region)
{
    sp_line_thread *here = sp_line_thread_here();
    sp_line_switched *switched = here == NULL ? NULL : sp_line_switched_find(here, region);
    if (switched == NULL)
        return;
    switched->held = false;
    if (switched->on)
        end_here(here, switched);
}

void sp_line_switch_off(sp_region *region)
{
    sp_shared_take();
    switch_off(region);
    sp_shared_release();
}

SP_INLINE void switch_up(sp_region *region, bool of_call)
{
    sp_line_thread *here = sp_line_thread_here();
    sp_line_switched *switched = find_or_add(here, region);
    if (switched == NULL || switched->count++ != 0 || switched->on)
        return;
    if (of_call)
        begin(here, switched);
    else
        begin_here(here, switched);
}

void sp_line_switch_up(sp_region *region, bool of_call)
{
    sp_shared_take();
    switch_up(region, of_call);
    sp_shared_release();
}

SP_INLINE void switch_down(const sp_region *region)
{
    sp_line_thread *here = sp_line_thread_here();
    sp_line_switched *switched = here == NULL ? NULL : sp_line_switched_find(here, region);
    if (switched == NULL || switched->count == 0) /* it was asked for in another thread */
        return;
    if (--switched->count == 0 && switched->on && !switched->held)
        end_here(here, switched);
}

void sp_line_switch_down(sp_region *region)
{
    sp_shared_take();
    switch_down(region);
    sp_shared_release();
}

uint32_t sp_line_switch_count(const sp_region *region)
{
    const sp_line_switched *switched =
        sp_line_here == NULL ? NULL : sp_line_switched_find(sp_line_here, region);
    return switched == NULL ? 0 : switched->count;
}
