#include "calls/suspended_calls.h"

#include "base/heap.h"
#include "calls/call_backend.h"
#include "record/annotations.h"

/* So many are kept as slots hold: generators of the usual program take no memory each. */
static sp_suspended_call *take_spare(sp_tracing *tracing)
{
    sp_suspended_call *spare = tracing->spare;
    if (spare == NULL)
        return sp_malloc(sizeof *spare);
    tracing->spare = spare->next;
    return spare;
}

static void give_spare(sp_tracing *tracing, sp_suspended_call *suspended)
{
    if (tracing->suspended.count >= SP_SLOTS) {
        sp_free(suspended);
        return;
    }
    suspended->next = tracing->spare;
    tracing->spare = suspended;
}

void sp_suspended_calls_free(sp_tracing *tracing)
{
    sp_slots_free(&tracing->suspended);
    while (tracing->spare != NULL)
        sp_free(take_spare(tracing));
}

sp_suspended_call *sp_suspended_call_new(sp_tracing *tracing, const void *frame,
                                         const PyCodeObject *code,
                                         const sp_open_call *open)
{
    sp_suspended_call *suspended = take_spare(tracing);
    if (suspended == NULL)
        return NULL;
    *suspended = (sp_suspended_call){.call = sp_stepped_begin(open),
                                     .tracing = tracing,
                                     .region = open->region,
                                     .frame = frame,
                                     .code = code};
    suspended->call.kept = sp_annotation_keep(tracing->manager, suspended->call.annotation);
    if (sp_slots_add(&tracing->suspended, frame, NULL, suspended) < 0) {
        Py_XDECREF(suspended->call.kept);
        give_spare(tracing, suspended);
        return NULL;
    }
    if (tracing->suspended.count == 1)
        sp_calls_need(1);
    return suspended;
}

void sp_suspended_call_end(sp_suspended_call *suspended, uint64_t now, bool failed)
{
    sp_stop_threads(); /* it may have slept in another thread */
    if (suspended->call.run == suspended->tracing->manager->run)
        sp_stepped_end(&suspended->call, suspended->thread, now, failed, SP_TRACED_GENERATOR);
    sp_resume_threads();
    sp_suspended_call_forget(suspended);
}

void sp_suspended_call_replaced(sp_tracing *tracing, const void *frame)
{
    sp_suspended_call *suspended = sp_slots_get(&tracing->suspended, frame, NULL);
    if (suspended != NULL)
        sp_suspended_call_end(suspended, suspended->until, false);
}

/* ---- Silent ends ------------------------------------------------------------------------- */

#if SP_SILENT_CLOSE

static struct {
    sp_slots watched;    /* weak reference -> sp_suspended_call */
    PyObject *forgetter; /* what the weak references call. Owned, for ever. */
} all;

/* It was closed earlier, without an event. Only for a generator that still exists. */
static bool has_finished(const sp_suspended_call *suspended)
{
    enum { COMPLETED = 1 }; /* this and higher states are ends */
    const char *generator = (const char *)suspended->frame - offsetof(PyGenObject, gi_iframe);
    return ((const PyGenObject *)generator)->gi_frame_state >= COMPLETED;
}

/* When the call of a generator that still exists is over, if that is to be now. */
static uint64_t end_now(const sp_suspended_call *suspended)
{
    return has_finished(suspended) ? suspended->until : sp_now();
}

/* A generator is about to be freed: called through its weak reference. Where it is still to be closed with
 * events, these end its call. */
static PyObject *generator_died(PyObject *module, PyObject *watcher)
{
    (void)module;
    sp_shared_take();
    sp_suspended_call *suspended = sp_slots_get(&all.watched, watcher, NULL);
    if (suspended != NULL && (suspended->is_silent || has_finished(suspended)))
        sp_suspended_call_end(suspended, end_now(suspended), false);
    sp_shared_release();
    Py_RETURN_NONE;
}

static PyMethodDef generator_died_method = {"generator_died", generator_died, METH_O, NULL};

int sp_suspended_calls_init(void)
{
    if (all.forgetter == NULL)
        all.forgetter = PyCFunction_New(&generator_died_method, NULL);
    return all.forgetter == NULL ? -1 : 0;
}

void sp_suspended_call_watch_silent(sp_suspended_call *suspended)
{
    PyObject *generator = (PyObject *)((char *)suspended->frame - offsetof(PyGenObject, gi_iframe));
    suspended->watcher = PyWeakref_NewRef(generator, all.forgetter);
    if (suspended->watcher != NULL
        && sp_slots_add(&all.watched, suspended->watcher, NULL, suspended) < 0)
        Py_CLEAR(suspended->watcher);
    PyErr_Clear(); /* memory is out: its end will not be noticed before its memory is used again */
}

static void unwatch(sp_suspended_call *suspended)
{
    if (suspended->watcher != NULL)
        sp_slots_pop(&all.watched, suspended->watcher, NULL);
    Py_CLEAR(suspended->watcher);
}

static uint64_t end_of(const sp_suspended_call *suspended)
{
    PyObject *generator = NULL;
    if (suspended->watcher == NULL || PyWeakref_GetRef(suspended->watcher, &generator) != 1)
        return sp_now();
    uint64_t end = end_now(suspended);
    Py_DECREF(generator);
    return end;
}

#else

static uint64_t end_of(const sp_suspended_call *suspended) { (void)suspended; return sp_now(); }
static void unwatch(sp_suspended_call *suspended) { (void)suspended; }
int sp_suspended_calls_init(void) { return 0; }

#endif

void sp_suspended_call_forget(sp_suspended_call *suspended)
{
    sp_tracing *tracing = suspended->tracing;
    PyObject *kept = suspended->call.kept;
    unwatch(suspended);
    sp_slots_pop(&tracing->suspended, suspended->frame, NULL);
    give_spare(tracing, suspended);
    if (tracing->suspended.count == 0)
        sp_calls_need(-1);
    Py_XDECREF(kept); /* Python may run, and the tracing end */
}

static int end_one(void *suspended, void *unused)
{
    (void)unused;
    sp_suspended_call_end(suspended, end_of(suspended), false);
    return 0;
}

void sp_suspended_calls_end(sp_tracing *tracing)
{
    sp_slots_each(&tracing->suspended, end_one, NULL);
}
