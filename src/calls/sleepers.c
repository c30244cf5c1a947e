#include "calls/sleepers.h"

#include "calls/call_backend.h"

sp_sleeper *sp_sleeper_find(sp_tracing *tracing, const void *frame, const PyCodeObject *code)
{
    sp_sleeper *found = sp_map_get(&tracing->asleep, frame, NULL);
    if (found == NULL || found->code != code)
        return NULL;
    return tracing->latest = found;
}

sp_sleeper *sp_sleeper_new(sp_tracing *tracing, const void *frame, const PyCodeObject *code,
                           const sp_open_call *open)
{
    sp_sleeper *sleeper = PyMem_RawMalloc(sizeof *sleeper);
    if (sleeper == NULL)
        return NULL;
    *sleeper = (sp_sleeper){.call = sp_stepped_begin(open),
                            .tracing = tracing,
                            .region = open->region,
                            .frame = frame,
                            .code = code};
    if (sp_map_add(&tracing->asleep, frame, NULL, sleeper) < 0) {
        PyMem_RawFree(sleeper);
        return NULL;
    }
    if (tracing->sleepers++ == 0)
        sp_calls_need(1);
    return tracing->latest = sleeper;
}

void sp_sleeper_end(sp_sleeper *sleeper, uint64_t now, bool failed)
{
    sp_stop_threads(); /* it may have slept in another thread */
    if (sleeper->call.run == sleeper->tracing->manager->run)
        sp_stepped_end(&sleeper->call, sleeper->thread, now, failed, SP_TRACED_GENERATOR);
    sp_resume_threads();
    sp_sleeper_forget(sleeper);
}

void sp_sleeper_replaced(sp_tracing *tracing, const void *frame)
{
    sp_sleeper *sleeper = sp_map_get(&tracing->asleep, frame, NULL);
    if (sleeper != NULL)
        sp_sleeper_end(sleeper, sleeper->until, false);
}

/* ---- Silent ends ------------------------------------------------------------------------- */

#if SP_SILENT_CLOSE

static struct {
    sp_map watched;    /* weak reference -> sp_sleeper */
    PyObject *mourner; /* what the weak references call. Owned, for ever. */
} all;

/* Closed earlier, and nobody said so. Only for a generator that still exists. */
static bool has_finished(const sp_sleeper *sleeper)
{
    enum { COMPLETED = 1 }; /* this and higher states are ends */
    const char *generator = (const char *)sleeper->frame - offsetof(PyGenObject, gi_iframe);
    return ((const PyGenObject *)generator)->gi_frame_state >= COMPLETED;
}

/* When the call of a generator that still exists is over, if that is to be now. */
static uint64_t end_now(const sp_sleeper *sleeper)
{
    return has_finished(sleeper) ? sleeper->until : sp_now();
}

/* A generator is about to be freed: called through its weak reference. When it is yet to be closed
 * with events, they will tell the rest. */
static PyObject *mourn(PyObject *module, PyObject *watcher)
{
    (void)module;
    sp_shared_take();
    sp_sleeper *sleeper = sp_map_get(&all.watched, watcher, NULL);
    if (sleeper != NULL && (sleeper->is_silent || has_finished(sleeper)))
        sp_sleeper_end(sleeper, end_now(sleeper), false);
    sp_shared_release();
    Py_RETURN_NONE;
}

static PyMethodDef mourn_method = {"mourn_generator", mourn, METH_O, NULL};

int sp_sleepers_init(void)
{
    if (all.mourner == NULL)
        all.mourner = PyCFunction_New(&mourn_method, NULL);
    return all.mourner == NULL ? -1 : 0;
}

static void watch(sp_sleeper *sleeper)
{
    PyObject *generator = (PyObject *)((char *)sleeper->frame - offsetof(PyGenObject, gi_iframe));
    sleeper->watcher = PyWeakref_NewRef(generator, all.mourner);
    if (sleeper->watcher != NULL && sp_map_add(&all.watched, sleeper->watcher, NULL, sleeper) < 0)
        Py_CLEAR(sleeper->watcher);
    PyErr_Clear(); /* memory is out: its end will not be noticed before its memory is used again */
}

void sp_sleepers_watch(const void *frame, const PyCodeObject *code, bool is_silent)
{
    if (Py_Version >= 0x030D0A00)
        return;
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        sp_sleeper *sleeper = sp_sleeper_of(tracing, frame, code);
        if (sleeper == NULL)
            continue;
        sleeper->is_silent = is_silent;
        if (is_silent && sleeper->watcher == NULL)
            watch(sleeper);
    }
}

static void unwatch(sp_sleeper *sleeper)
{
    if (sleeper->watcher != NULL)
        sp_map_pop(&all.watched, sleeper->watcher, NULL);
    Py_CLEAR(sleeper->watcher);
}

static uint64_t end_of(const sp_sleeper *sleeper)
{
    PyObject *generator = NULL;
    if (sleeper->watcher == NULL || PyWeakref_GetRef(sleeper->watcher, &generator) != 1)
        return sp_now();
    uint64_t end = end_now(sleeper);
    Py_DECREF(generator);
    return end;
}

#else

static uint64_t end_of(const sp_sleeper *sleeper) { (void)sleeper; return sp_now(); }
static void unwatch(sp_sleeper *sleeper) { (void)sleeper; }
int sp_sleepers_init(void) { return 0; }

#endif

void sp_sleeper_forget(sp_sleeper *sleeper)
{
    sp_tracing *tracing = sleeper->tracing;
    unwatch(sleeper);
    sp_map_pop(&tracing->asleep, sleeper->frame, NULL);
    if (tracing->latest == sleeper)
        tracing->latest = NULL;
    PyMem_RawFree(sleeper);
    if (--tracing->sleepers == 0)
        sp_calls_need(-1);
}

static int end_one(void *sleeper, void *unused)
{
    (void)unused;
    sp_sleeper_end(sleeper, end_of(sleeper), false);
    return 0;
}

void sp_sleepers_end(sp_tracing *tracing) { sp_map_each(&tracing->asleep, end_one, NULL); }
