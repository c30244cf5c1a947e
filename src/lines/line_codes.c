#include "lines/line_codes.h"

#include "base/callout.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/thread_guard.h"
#include "lines/line_backend.h"
#include "lines/line_open.h"
#include "record/counters.h"

enum { FOUND = 256 };

/* What all threads share. */
static struct {
    sp_line_code *codes;   /* of code that lives, */
    sp_map by_code;        /* code -> sp_line_code, */
    sp_map by_watcher;     /* and weak reference -> sp_line_code */
    PyObject *forgetter;   /* what the weak references call. Owned, for ever. */
    struct {               /* what was looked up last; entry NULL: it has none */
        const PyCodeObject *code;
        sp_line_code *entry;
    } found[FOUND];
    sp_map watches;        /* (region, entry) -> sp_line_watch */
    size_t watch_count;    /* but those of regions that are switched */
} all;

uint32_t sp_line_codes_on;
uint32_t sp_line_always_watched;
uint32_t sp_line_switches;

/* ---- Entries ----------------------------------------------------------------------------- */

static void free_plan(sp_line_plan *plan)
{
    sp_free(plan->withs);
    sp_free(plan->loops);
}

static void entry_free(sp_line_code *entry)
{
    free_plan(&entry->plan);
    Py_DECREF(entry->file);
    Py_DECREF(entry->name);
    Py_XDECREF(entry->texts);
    sp_free(entry);
}

static void unwatch(sp_line_watch *watch)
{
    SP_LIST_REMOVE(watch, next_of_region, link_of_region);
    SP_LIST_REMOVE(watch, next_of_code, link_of_code);
    sp_map_pop(&all.watches, watch->region, watch->code);
    all.watch_count -= watch->region->line_switch == NULL;
    sp_line_always_watched -= watch->always;
    sp_free(watch);
}

SP_INLINE size_t place_of(const PyCodeObject *code)
{
    return (((uintptr_t)code >> 4) ^ ((uintptr_t)code >> 12)) % FOUND;
}

/* A code object dies: called through its weak reference, before its memory is used again. */
static PyObject *code_died(PyObject *module, PyObject *watcher)
{
    (void)module;
    sp_shared_take();
    sp_line_code *entry = sp_map_pop(&all.by_watcher, watcher, NULL);
    if (entry != NULL) {
        sp_map_pop(&all.by_code, entry->code, NULL);
        all.found[place_of(entry->code)].code = NULL;
        while (entry->watches != NULL)
            unwatch(entry->watches);
        sp_line_codes_on -= entry->lines_on;
        SP_LIST_REMOVE(entry, next, link);
        Py_CLEAR(entry->watcher);
        entry->code = NULL;
        if (entry->tables == 0)
            entry_free(entry);
    }
    sp_shared_release();
    Py_RETURN_NONE;
}

void sp_line_code_used(sp_line_code *entry, int change)
{
    entry->tables += (uint32_t)change;
    if (entry->tables == 0 && entry->code == NULL)
        entry_free(entry);
}

sp_line_code *sp_line_code_find(PyCodeObject *code)
{
    size_t place = place_of(code);
    if (SP_UNLIKELY(all.found[place].code != code)) {
        all.found[place].code = code;
        all.found[place].entry = sp_map_get(&all.by_code, code, NULL);
    }
    return all.found[place].entry;
}

/* A weak reference to the code; NULL when memory is out. Nothing is collected meanwhile, or callbacks
 * of the user's would run here. */
static PyObject *watch_code(PyCodeObject *code)
{
    static PyMethodDef method = {"forget_code", code_died, METH_O, NULL};
    sp_exception under_way = sp_exception_take();
    int collects = PyGC_Disable();
    if (all.forgetter == NULL)
        all.forgetter = PyCFunction_New(&method, NULL);
    PyObject *watcher =
        all.forgetter == NULL ? NULL : PyWeakref_NewRef((PyObject *)code, all.forgetter);
    if (collects)
        PyGC_Enable();
    sp_exception_restore(under_way);
    return watcher;
}

/* Put it into the tables; false when memory is out. */
static bool register_entry(sp_line_code *entry)
{
    if (entry->watcher == NULL || sp_map_add(&all.by_code, entry->code, NULL, entry) < 0)
        return false;
    if (sp_map_add(&all.by_watcher, entry->watcher, NULL, entry) < 0) {
        sp_map_pop(&all.by_code, entry->code, NULL);
        return false;
    }
    all.found[place_of(entry->code)].code = NULL;
    return true;
}

/* NULL when memory is out. */
static sp_line_code *new_entry(PyCodeObject *code)
{
    sp_line_code *entry = sp_calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->code = code;
    entry->watcher = watch_code(code);
    if (!register_entry(entry)) {
        Py_XDECREF(entry->watcher);
        sp_free(entry);
        return NULL;
    }
    entry->file = Py_NewRef(code->co_filename);
    entry->name = Py_NewRef(code->co_qualname);
    entry->def_line = code->co_firstlineno;
    entry->suspends = code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
    SP_LIST_ADD(all.codes, entry, next, link);
    return entry;
}

sp_line_code *sp_line_code_make(PyCodeObject *code)
{
    sp_line_code *entry = sp_line_code_find(code);
    if (entry == NULL)
        entry = new_entry(code);
    return entry;
}

PyObject *sp_line_codes(void)
{
    PyObject *list = PyList_New(0);
    const sp_line_code *entry = all.codes;
    for (; list != NULL && entry != NULL; entry = entry->next) {
        if (PyList_Append(list, (PyObject *)entry->code) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* ---- Plans ------------------------------------------------------------------------------- */

static int read_offsets(PyObject *tuple, int **offsets, int *count)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    *offsets = sp_malloc((size_t)(size + 1) * sizeof **offsets);
    if (*offsets == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        (*offsets)[i] = (int)PyLong_AsLong(PyTuple_GET_ITEM(tuple, i));
        if ((*offsets)[i] == -1 && PyErr_Occurred())
            return -1;
    }
    *count = (int)size;
    return 0;
}

/* What arm() of _instrument/lines.py said of the code: None when its lines are not wanted, else
 * (first line, last line, offsets of `with` statements, of one-line loops, events, whether decorated calls
 * are meant). */
static int read_plan(sp_line_plan *plan, PyObject *said)
{
    PyObject *withs, *loops;
    int last, calls;
    if (said == Py_None)
        return 0;
    if (!PyArg_ParseTuple(said, "iiO!O!ip", &plan->first, &last, &PyTuple_Type, &withs,
                          &PyTuple_Type, &loops, &plan->events, &calls)
        || read_offsets(withs, &plan->withs, &plan->with_count) < 0
        || read_offsets(loops, &plan->loops, &plan->loop_count) < 0)
        return -1;
    plan->count = last - plan->first + 1;
    plan->calls = calls;
    return 0;
}

static bool make_plan(PyObject *arm, const sp_line_code *entry, sp_line_plan *plan)
{
    sp_callout callout;
    sp_callout_begin(&callout);
    PyObject *said = PyObject_CallOneArg(arm, (PyObject *)entry->code);
    bool made = said != NULL && read_plan(plan, said) == 0;
    Py_XDECREF(said);
    sp_callout_end(&callout);
    return made;
}

/* When the plan cannot be made now (the stack is nearly full, memory is out), it is missing as
 * before. */
bool sp_line_code_plan(sp_manager *manager, sp_line_code *entry)
{
    if (entry->planned)
        return true;
    sp_line_plan plan = {0};
    PyObject *arm = sp_field_get((PyObject *)manager, &manager->arm);
    bool made = arm != Py_None && make_plan(arm, entry, &plan);
    Py_DECREF(arm);
    bool taken = made && !entry->planned; /* another thread may have been faster */
    if (taken) {
        entry->plan = plan;
        entry->planned = true;
    }
    if (!taken)
        free_plan(&plan);
    return entry->planned;
}

sp_line_code *sp_line_code_get(sp_manager *manager, PyCodeObject *code)
{
    sp_line_code *entry = sp_line_code_make(code);
    return entry != NULL && sp_line_code_plan(manager, entry) ? entry : NULL;
}

/* ---- Events ------------------------------------------------------------------------------ */

/* The user's code is running: what is wrong is not raised there. */
static void arm_quietly(sp_line_code *entry)
{
    sp_exception under_way = sp_exception_take();
    if (sp_line_arm(entry) < 0)
        sp_lose_line();
    sp_exception_restore(under_way);
}

void sp_line_code_lines_stay_on(sp_line_code *entry)
{
    if (entry->lines_stay_on || entry->plan.count == 0)
        return;
    entry->lines_stay_on = true;
    arm_quietly(entry);
}

void sp_line_code_lines_on(sp_line_code *entry)
{
    entry->unrecorded_lines = 0;
    if (entry->lines_stay_on || entry->lines_on)
        return;
    entry->lines_on = true;
    sp_line_codes_on++;
    arm_quietly(entry);
}

/* Switching events on and off costs as much as some tens of them, or some hundreds in long
 * functions. So they stay on for a while, which does not cost much more than switching did. */
enum { UNRECORDED_LINES = 1000 };

bool sp_line_code_only_switched(const sp_line_code *entry)
{
    const sp_line_watch *watch = entry->watches;
    while (watch != NULL && !watch->always && watch->region->line_switch != NULL)
        watch = watch->next_of_code;
    return watch == NULL;
}

/* Whether a region that watches it may be open now. */
static bool may_be_wanted(const sp_line_code *entry)
{
    const sp_line_watch *watch = entry->watches;
    while (watch != NULL && !watch->always && watch->region->line_switch != NULL
           && watch->region->line_switch->threads == 0)
        watch = watch->next_of_code;
    return watch != NULL;
}

/* Unless a region may be open that watches it. What it has of events is to be set by the caller. */
static void fall_asleep(sp_line_code *entry)
{
    if (may_be_wanted(entry))
        return;
    entry->asleep = true;
    sp_line_codes_on -= entry->lines_on;
    entry->lines_on = false;
    for (const sp_line_watch *watch = entry->watches; watch != NULL; watch = watch->next_of_code)
        watch->region->line_switch->asleep = true;
}

void sp_line_code_line_unrecorded(PyCodeObject *code)
{
    sp_line_code *entry = sp_line_code_find(code);
    if (entry == NULL || !entry->lines_on || entry->lines_stay_on || entry->frames != 0
        || ++entry->unrecorded_lines < UNRECORDED_LINES)
        return;
    entry->lines_on = false;
    sp_line_codes_on--;
    if (sp_line_code_only_switched(entry)) /* lines were its only events */
        fall_asleep(entry);
    arm_quietly(entry);
}

void sp_line_code_begin_unrecorded(PyCodeObject *code)
{
    sp_line_code *entry = sp_line_code_find(code);
    if (entry == NULL || entry->watches == NULL || entry->asleep
        || ++entry->unrecorded_begins < UNRECORDED_LINES)
        return;
    entry->unrecorded_begins = 0;
    fall_asleep(entry);
    arm_quietly(entry);
}

void sp_line_codes_wake(sp_region *region)
{
    region->line_switch->asleep = false;
    for (sp_line_watch *watch = region->watches, *next; watch != NULL; watch = next) {
        next = watch->next_of_region;
        if (!watch->code->asleep)
            continue;
        watch->code->asleep = false;
        watch->code->unrecorded_begins = 0;
        arm_quietly(watch->code);
    }
}

/* ---- Watching ---------------------------------------------------------------------------- */

bool sp_line_code_is_watched(PyCodeObject *code)
{
    const sp_line_code *entry = sp_line_code_find(code);
    return entry != NULL && entry->watches != NULL;
}

bool sp_line_code_watched_by(const sp_line_code *entry, const sp_region *region)
{
    return sp_map_get(&all.watches, region, entry) != NULL;
}

bool sp_line_any_watched(void)
{
    return all.watch_count != 0 || sp_line_always_watched != 0 || sp_line_all_on != 0;
}

/* False when memory is out. */
static bool add_watch(sp_region *region, sp_line_code *entry, sp_line_when when)
{
    bool always = when == SP_WATCH_ALWAYS;
    sp_line_watch *known = sp_map_get(&all.watches, region, entry);
    if (known != NULL && when != SP_WATCH_AS_BEFORE) {
        sp_line_always_watched += (uint32_t)always - (uint32_t)known->always;
        known->always = always;
    }
    if (known != NULL)
        return true;
    sp_line_watch *watch = sp_malloc(sizeof *watch);
    if (watch == NULL || sp_map_add(&all.watches, region, entry, watch) < 0) {
        sp_free(watch);
        return false;
    }
    *watch = (sp_line_watch){.region = region, .code = entry, .always = always};
    SP_LIST_ADD(region->watches, watch, next_of_region, link_of_region);
    SP_LIST_ADD(entry->watches, watch, next_of_code, link_of_code);
    all.watch_count += region->line_switch == NULL;
    sp_line_always_watched += always;
    return true;
}

int sp_line_code_watch(sp_region *region, PyCodeObject *code, sp_line_when when)
{
    sp_line_code *entry = sp_line_code_make(code);
    bool added = entry != NULL && add_watch(region, entry, when);
    if (added) {
        entry->asleep = false;
        fall_asleep(entry);
        return sp_line_arm(entry);
    }
    PyErr_NoMemory();
    return -1;
}

void sp_line_codes_unwatch(sp_region *region)
{
    while (region->watches != NULL)
        unwatch(region->watches);
}
