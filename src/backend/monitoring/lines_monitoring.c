/* Line mode on CPython 3.12 and newer: sys.monitoring (PEP 669). The events are armed on single
 * code objects and stay armed, so other code runs at full speed and nothing is switched per call.
 * An event of an activation that is not recorded ends at the first comparison. Code that is watched
 * has the events of its begin alone until it runs while a region that watches it is open. */
#include "backend/monitoring/lines_monitoring.h"

#include "backend/monitoring/callback.h"
#include "base/thread_guard.h"
#include "lines/line_backend.h"
#include "lines/line_listing.h"
#include "lines/line_match.h"
#include "lines/line_switch.h"
#include "lines/lines_watch.h"
#include "record/counters.h"

#if SP_MONITORING

/* ---- Callbacks --------------------------------------------------------------------------- */

/* Whether anyone keeps details of lines. Then the clock is read when all that a line was to do is done, else
 * it may be still under way, and its end in nobody's time. It takes some ten nanoseconds for each. */
static bool details;

SP_INLINE uint64_t line_over(void)
{
    if (SP_UNLIKELY(details))
        sp_counter_wait();
    return sp_now();
}

/* Lines and offsets are small numbers, as a rule. */
SP_INLINE long number(PyObject *value)
{
    const PyLongObject *integer = (const PyLongObject *)value;
    if (SP_LIKELY(PyUnstable_Long_IsCompact(integer)))
        return (long)PyUnstable_Long_CompactValue(integer);
    int overflow; /* of a call by hand */
    return PyLong_AsLongAndOverflow(value, &overflow);
}

/* Where the running frame is. The offset that events of exceptions carry can be between two
 * instructions, where 3.14 knows of no line in code that has line events. */
SP_INLINE int line_now(void)
{
    return PyUnstable_InterpreterFrame_GetLine((struct _PyInterpreterFrame *)sp_current_frame());
}

/* The line is of the frame that was recorded last: nothing is touched that other threads write to. */
SP_INLINE bool hit_top(PyObject *const *args, const void *frame, uint64_t now)
{
    sp_guard_take();
    sp_line_frame *top = sp_line_top(frame, (PyCodeObject *)args[0]);
    if (SP_LIKELY(top != NULL))
        sp_line_hit(top, (int)number(args[1]), now);
    sp_guard_release();
    return top != NULL;
}

static SP_NOINLINE void hit_other(PyObject *const *args, const void *frame, uint64_t now)
{
    sp_shared_take();
    sp_line_frame *recorded = sp_line_match(frame, (PyCodeObject *)args[0], now);
    if (recorded == NULL)
        recorded = sp_line_frame_runs(frame, (PyCodeObject *)args[0]);
    if (recorded != NULL)
        sp_line_hit(recorded, (int)number(args[1]), now);
    else if (sp_line_codes_on != 0)
        sp_line_code_line_unrecorded((PyCodeObject *)args[0]);
    sp_shared_release();
}

static PyObject *on_line(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    uint64_t now = line_over();
    const void *frame = sp_current_frame();
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 2))
        return sp_event_refuse();
    if (SP_UNLIKELY(!hit_top(args, frame, now)))
        hit_other(args, frame, now);
    if (SP_UNLIKELY(sp_line_listing))
        sp_line_list(frame, (PyCodeObject *)args[0], (int)number(args[1]));
    Py_RETURN_NONE;
}

/* `for x in y: f(x)` on one line has a line event for the first round only; jumps back begin others. */
SP_INLINE void jump_event(PyObject *const *args)
{
    uint64_t now = line_over();
    PyCodeObject *code = (PyCodeObject *)args[0];
    sp_line_frame *recorded = sp_line_match(sp_current_frame(), code, now);
    if (recorded == NULL || recorded->line < 0)
        return;
    const sp_line_plan *plan = &recorded->code->plan;
    long target = number(args[2]);
    if (target < number(args[1])
        && sp_line_offset_in(plan->loops, plan->loop_count, target)) {
        sp_line_change(recorded, recorded->line, now);
        recorded->since = sp_now();
        if (SP_UNLIKELY(sp_line_listing))
            sp_line_list(recorded->frame, code, recorded->first + recorded->line);
    }
}

/* The generator of a decorated function is suspended by its steps (generator_proxy.c), others by
 * this. */
SP_INLINE void yield_event(PyObject *const *args)
{
    uint64_t now = line_over();
    sp_line_frame *recorded = sp_line_match(sp_current_frame(), (PyCodeObject *)args[0], now);
    if (recorded != NULL && !recorded->decorated)
        sp_line_frame_yields(sp_line_here, now);
}

SP_INLINE void resume_event(PyObject *const *args)
{
    PyCodeObject *code = (PyCodeObject *)args[0];
    sp_line_frame *recorded = sp_line_frame_begins(sp_current_frame(), code, false);
    if (recorded == NULL && sp_line_switches != 0)
        sp_line_code_begin_unrecorded(code);
    if (recorded != NULL && recorded->line < 0)
        sp_line_continue(recorded, line_now());
}

static SP_NOINLINE void exceptions_unwanted(void);

SP_INLINE void exception_event(void)
{
    if (SP_UNLIKELY(sp_line_switches != 0) && !sp_line_any_watched())
        exceptions_unwanted();
}

/* An exception is thrown into a generator, which begins with a line event where it is caught. */
SP_INLINE void throw_event(PyObject *const *args)
{
    sp_line_frame_begins(sp_current_frame(), (PyCodeObject *)args[0], false);
    exception_event();
}

/* Also subscribed where a function's body begins on its `def` line: CPython 3.13 reports no line
 * there unless the start is watched too (python/cpython#155992). */
SP_INLINE void start_event(PyObject *const *args)
{
    const void *frame = sp_current_frame();
    sp_line_thread *here = sp_line_here;
    if (here != NULL && here->on_count != 0 && here->bottom == sp_stack_bottom()
        && sp_line_frame_begins_again(here, frame, (PyCodeObject *)args[0]) != NULL)
        return;
    if (sp_line_always_watched != 0
        || (here != NULL
            && (sp_line_watches(here) || here->other_count != 0
                || here->stack.top->frame == frame)))
        sp_line_frame_begins(frame, (PyCodeObject *)args[0], true);
    else if (sp_line_switches != 0)
        sp_line_code_begin_unrecorded((PyCodeObject *)args[0]);
}

/* Of PY_RETURN and PY_UNWIND. The second comes for every frame that an exception ends. */
SP_INLINE void end_event(PyObject *const *args)
{
    uint64_t now = line_over();
    sp_line_frame_ends(sp_current_frame(), (PyCodeObject *)args[0], now);
    exception_event();
}

/* Of RAISE, which comes for each frame that an exception passes. */
SP_INLINE void raise_event(PyObject *const *args)
{
    PyCodeObject *code = (PyCodeObject *)args[0];
    if (!sp_line_counts_exception((PyObject *)Py_TYPE(args[2])))
        return;
    sp_line_frame *recorded = sp_line_match(sp_current_frame(), code, sp_now());
    if (recorded != NULL && !recorded->plain)
        sp_line_raised(recorded, line_now());
}

/* What sys.monitoring calls for the others. */
#    define CALLBACK(event, takes)                                                               \
        static PyObject *on_##event(PyObject *self, PyObject *const *args, size_t nargsf,        \
                                    PyObject *names)                                             \
        {                                                                                        \
            (void)self, (void)names;                                                             \
            if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), takes))                           \
                return sp_event_refuse();                                                        \
            sp_shared_take();                                                                    \
            event##_event(args);                                                                 \
            sp_shared_release();                                                                 \
            Py_RETURN_NONE;                                                                      \
        }
CALLBACK(jump, 3)
CALLBACK(yield, 3)
CALLBACK(resume, 2)
CALLBACK(throw, 3)
CALLBACK(start, 2)
CALLBACK(raise, 3)
CALLBACK(end, 3)

/* ---- Events ------------------------------------------------------------------------------ */

static struct {
    int tool;          /* -1: line mode is off */
    PyObject *set_local_events, *set_events; /* of sys.monitoring. Owned. */
    int start, resume, leave, exceptions; /* events */
    bool receives_exceptions;
    int raises; /* event, or 0 while nobody wants it */
    uint32_t unwanted_exceptions;
} all = {.tool = -1};

static int events_of(const sp_line_code *entry)
{
    bool lines = entry->lines_stay_on || entry->lines_on;
    int events = lines ? entry->plan.events : 0;
    if (entry->watches == NULL || entry->asleep)
        return events;
    if (entry->suspends)
        events |= all.resume;
    /* The first line of a frame tells that it begins, where only regions that are switched watch it: for
     * others it matters whether it began while they were open. */
    if (!lines || !sp_line_code_only_switched(entry))
        events |= all.start;
    return events | (lines ? all.leave : 0);
}

static int call(PyObject *result)
{
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int set_global_events(void)
{
    int events = (all.receives_exceptions ? all.exceptions : 0) | all.raises;
    return call(PyObject_CallFunction(all.set_events, "ii", all.tool, events));
}

/* How an exception ends a frame or resumes it cannot be asked of single code objects before 3.15. It
 * costs nothing where there are no exceptions. */
static int receive_exceptions(void)
{
    if (all.receives_exceptions || !sp_line_any_watched())
        return 0;
    all.receives_exceptions = true;
    all.unwanted_exceptions = 0;
    return set_global_events();
}

static void any_on(bool on)
{
    if (!on || all.receives_exceptions || all.tool < 0)
        return;
    sp_exception under_way = sp_exception_take();
    if (receive_exceptions() < 0)
        sp_lose_line();
    sp_exception_restore(under_way);
}

/* As switching costs as much as hundreds of them, they stay for a while. */
static SP_NOINLINE void exceptions_unwanted(void)
{
    enum { UNWANTED = 1000 };
    if (!all.receives_exceptions || ++all.unwanted_exceptions < UNWANTED)
        return;
    sp_exception under_way = sp_exception_take();
    all.receives_exceptions = false;
    if (set_global_events() < 0)
        sp_lose_line();
    sp_exception_restore(under_way);
}

static int arm(sp_line_code *entry)
{
    if (all.tool < 0)
        return 0;
    int events = events_of(entry);
    if (receive_exceptions() < 0)
        return -1;
    if (events == entry->armed)
        return 0;
    entry->armed = events;
    return call(PyObject_CallFunction(all.set_local_events, "iOi", all.tool, entry->code, events));
}

/* Apply to all code that is known and lives; -1 with an exception set. */
static int each_code(int (*apply)(sp_line_code *entry))
{
    PyObject *codes = sp_line_codes();
    int result = codes == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(codes); i++)
        result = apply(sp_line_code_find((PyCodeObject *)PyList_GET_ITEM(codes, i)));
    Py_XDECREF(codes);
    return result;
}

static int event(PyObject *events, const char *name)
{
    PyObject *value = PyObject_GetAttrString(events, name);
    int number = value == NULL ? -1 : (int)PyLong_AsLong(value);
    Py_XDECREF(value);
    return number;
}

static int read_monitoring(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    if (monitoring == NULL)
        return -1;
    Py_XSETREF(all.set_local_events, PyObject_GetAttrString(monitoring, "set_local_events"));
    Py_XSETREF(all.set_events, PyObject_GetAttrString(monitoring, "set_events"));
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    if (events != NULL) {
        all.start = event(events, "PY_START");
        all.resume = event(events, "PY_RESUME");
        all.leave = event(events, "PY_RETURN");
        all.exceptions = event(events, "PY_UNWIND") | event(events, "PY_THROW");
        Py_DECREF(events);
    }
    return PyErr_Occurred() ? -1 : 0;
}

static const char use_tool_doc[] =
"use_tool(tool)\n--\n\n"
"Line mode begins: take events, of all code that wants them, with this tool id.";

static PyObject *use_tool(PyObject *module, PyObject *tool)
{
    long number = PyLong_AsLong(tool);
    (void)module;
    if (number == -1 && PyErr_Occurred())
        return NULL;
    if (number < 0 || number > 5)
        return PyErr_Format(PyExc_ValueError, "use_tool() takes a tool id, 0 to 5; got %ld", number);
    if (read_monitoring() < 0)
        return NULL;
    sp_shared_take();
    all.tool = (int)number;
    int result = each_code(arm);
    sp_shared_release();
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static int disarm(sp_line_code *entry)
{
    int armed = entry->armed;
    entry->armed = 0;
    if (armed == 0 || all.tool < 0)
        return 0;
    return call(PyObject_CallFunction(all.set_local_events, "iOi", all.tool, entry->code, 0));
}

static const char leave_tool_doc[] =
"leave_tool(ours)\n--\n\nLine mode is over: take no events. ours: the tool id is still ours.";

static PyObject *leave_tool(PyObject *module, PyObject *ours)
{
    (void)module;
    sp_shared_take();
    if (ours != Py_True)
        all.tool = -1;
    int result = each_code(disarm);
    bool any = all.receives_exceptions || all.raises != 0;
    all.receives_exceptions = false;
    all.raises = 0;
    if (any && all.tool >= 0 && result == 0)
        result = set_global_events();
    all.tool = -1;
    sp_shared_release();
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static const char keep_line_details_doc[] =
    "keep_line_details(raises)\n--\n\n"
    "From now on lines have details: events of this kind, RAISE of sys.monitoring, count for them, and\n"
    "the clock is read when a line is over in the processor, too. 0: they have none.";

static PyObject *keep_line_details(PyObject *module, PyObject *event)
{
    long raises = PyLong_AsLong(event);
    (void)module;
    if (raises == -1 && PyErr_Occurred())
        return NULL;
    sp_shared_take();
    all.raises = (int)raises;
    details = raises != 0;
    int result = all.tool < 0 ? 0 : set_global_events();
    sp_shared_release();
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {
    {"use_tool", use_tool, METH_O, use_tool_doc},
    {"leave_tool", leave_tool, METH_O, leave_tool_doc},
    {"keep_line_details", keep_line_details, METH_O, keep_line_details_doc},
    {NULL},
};

static const sp_callback callbacks[] = {
    {"on_line", on_line},     {"on_jump", on_jump},   {"on_yield", on_yield},
    {"on_resume", on_resume}, {"on_throw", on_throw}, {"on_raise", on_raise},
    {"on_start", on_start},   {"on_end", on_end},     {NULL, NULL},
};

int sp_lines_monitoring_init(PyObject *module)
{
    sp_line_arm = arm;
    sp_line_any_on = any_on;
    return PyModule_AddFunctions(module, functions) < 0 ? -1
                                                        : sp_callbacks_add(module, callbacks);
}

#endif
