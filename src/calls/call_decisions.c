#include "calls/call_decisions.h"

#include "base/callout.h"
#include "base/heap.h"
#include "calls/call_backend.h"
#include "calls/plain_decision.h"
#include "record/open_call.h"

sp_tracing *sp_tracings, *sp_tracing_alone;
sp_decision *sp_decisions_used[SP_DECISIONS];
sp_plain_call sp_plain_calls[SP_PLAIN_CALLS];
static bool plain_calls_noted;

enum { NO_WATCHER = -1 };

static struct {
    int code_watcher; /* its number, or NO_WATCHER: then there is a weak reference for each code */
    sp_map watched;   /* weak reference -> sp_decision */
    PyObject *forgetter; /* what the weak references call. Owned, for ever. */
} all = {.code_watcher = NO_WATCHER};

bool sp_tracing_is_on(uint64_t serial)
{
    const sp_tracing *tracing = sp_tracings;
    while (tracing != NULL && tracing->serial != serial)
        tracing = tracing->next;
    return tracing != NULL;
}

void sp_calls_lost(sp_manager *manager)
{
    sp_thread *thread = sp_thread_record_make_always(manager);
    if (thread != NULL)
        thread->lost++;
}

/* ---- Forgetting -------------------------------------------------------------------------- */

static int release(void *value, void *unused)
{
    sp_decision *decision = value;
    (void)unused;
    if (decision->watcher != NULL) {
        sp_map_pop(&all.watched, decision->watcher, NULL);
        Py_DECREF(decision->watcher);
    }
    sp_free(decision);
    return 0;
}

static void forget(sp_decision *decision)
{
    sp_decision **place = sp_decision_place(decision->tracing, decision->code);
    if (*place == decision)
        *place = NULL;
    sp_plain_call *plain = sp_plain_call_place(decision->code);
    if (plain->key == sp_plain_call_key(decision->code, false)
        || plain->key == sp_plain_call_key(decision->code, true))
        *plain = (sp_plain_call){0};
    sp_map_pop(&decision->tracing->decisions, decision->code, NULL);
    release(decision, NULL);
}

void sp_decisions_forget(sp_tracing *tracing)
{
    memset(sp_decisions_used, 0, sizeof sp_decisions_used);
    sp_plain_calls_forget();
    sp_map_each(&tracing->decisions, release, NULL);
    sp_map_free(&tracing->decisions);
}

void sp_decision_forget(sp_tracing *tracing, const PyCodeObject *code)
{
    sp_decision *decision = sp_map_get(&tracing->decisions, code, NULL);
    if (decision != NULL)
        forget(decision);
}

void sp_plain_call_note(const PyCodeObject *code, bool suspends, sp_region *region)
{
    *sp_plain_call_place(code) =
        (sp_plain_call){sp_plain_call_key(code, suspends), region, region->last};
    plain_calls_noted = true;
}

void sp_plain_calls_forget(void)
{
    if (plain_calls_noted)
        memset(sp_plain_calls, 0, sizeof sp_plain_calls);
    plain_calls_noted = false;
}

static int keep(void *value, void *unused)
{
    const sp_decision *decision = value;
    (void)unused;
    if (decision->region != NULL)
        decision->region->decided = true;
    return 0;
}

void sp_decisions_keep(const sp_tracing *tracing)
{
    sp_map_each(&tracing->decisions, keep, NULL);
}

/* ---- The end of code ----------------------------------------------------------------------- */

/* Before its memory is used again. */

#if SP_MONITORING

static int code_event(PyCodeEvent event, PyCodeObject *code)
{
    if (event != PY_CODE_EVENT_DESTROY)
        return 0;
    sp_shared_take();
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next)
        sp_decision_forget(tracing, code);
    sp_shared_release();
    return 0;
}

void sp_decisions_watch(void)
{
    all.code_watcher = PyCode_AddWatcher(code_event);
    if (all.code_watcher < 0) { /* others have them all */
        PyErr_Clear();
        all.code_watcher = NO_WATCHER;
    }
}

void sp_decisions_unwatch(void)
{
    if (all.code_watcher != NO_WATCHER && PyCode_ClearWatcher(all.code_watcher) < 0)
        PyErr_Clear();
    all.code_watcher = NO_WATCHER;
}

#else

void sp_decisions_watch(void) {}
void sp_decisions_unwatch(void) {}

#endif

/* Called by the weak reference to the code. */
static PyObject *code_died(PyObject *module, PyObject *watcher)
{
    (void)module;
    sp_shared_take();
    sp_decision *decision = sp_map_get(&all.watched, watcher, NULL);
    if (decision != NULL)
        forget(decision);
    sp_shared_release();
    Py_RETURN_NONE;
}

static PyMethodDef code_died_method = {"forget_code", code_died, METH_O, NULL};

int sp_decisions_init(void)
{
#ifndef Py_GIL_DISABLED /* else they are in use meanwhile, and each call asks its region */
    sp_regions_changed = sp_plain_calls_forget;
#endif
    if (all.forgetter == NULL)
        all.forgetter = PyCFunction_New(&code_died_method, NULL);
    return all.forgetter == NULL ? -1 : 0;
}

/* ---- Deciding ---------------------------------------------------------------------------- */

static int read_answer(sp_decision *decision, PyObject *answer)
{
    PyObject *region;
    int everywhere, c_calls;
    if (answer == Py_None)
        return 0;
    if (!PyArg_ParseTuple(answer, "Opp", &region, &everywhere, &c_calls))
        return -1;
    decision->postponed = region == Py_None;
    if (region != Py_None && region != Py_False)
        decision->region = (sp_region *)region;
    decision->everywhere = everywhere;
    decision->c_calls = c_calls && !decision->postponed;
    return 0;
}

bool sp_decide_ask(const sp_tracing *tracing, PyObject *decide, PyObject *const *arguments,
                   size_t count, PyObject **answer)
{
    uint64_t serial = tracing->serial;
    Py_INCREF(decide);
    *answer = PyObject_Vectorcall(decide, arguments, count, NULL);
    bool holds = sp_tracing_is_on(serial);
    if (*answer == NULL
        && (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)
            || PyErr_ExceptionMatches(PyExc_MemoryError)))
        holds = false;
    if (holds && *answer == NULL) {
        sp_calls_lost(tracing->manager);
        PyErr_WriteUnraisable(decide);
        holds = sp_tracing_is_on(serial); /* that was Python code again */
    }
    Py_DECREF(decide);
    return holds;
}

/* False when that says nothing about the code, which then is asked for again. */
static bool ask(sp_decision *decision, PyObject *globals, bool in_section)
{
    sp_tracing *tracing = decision->tracing;
    PyObject *answer;
    PyObject *arguments[] = {(PyObject *)tracing->manager, (PyObject *)decision->code, globals,
                             in_section ? Py_True : Py_False};
    sp_signals signals;
    sp_signals_hold(&signals);
    bool holds = sp_decide_ask(tracing, tracing->decide, arguments, 4, &answer);
    sp_signals_release(&signals);
    if (holds && answer != NULL)
        holds = read_answer(decision, answer) == 0;
    Py_XDECREF(answer);
    return holds;
}

/* The same without Python; false when it has to be asked. */
static bool decide_plainly(sp_decision *decision, PyObject *globals)
{
    const sp_tracing *tracing = decision->tracing;
    if (tracing->plain == NULL)
        return false;
    bool c_calls = tracing->decide_c != NULL;
    PyObject *plain = Py_NewRef(tracing->plain); /* the tracing may end meanwhile */
    sp_region *region = sp_decide_plainly(tracing->manager, plain, decision->code, globals);
    Py_DECREF(plain);
    if (region == NULL)
        return false;
    decision->region = region;
    decision->everywhere = true;
    decision->c_calls = c_calls;
    return true;
}

/* False when memory is out. */
static bool watch(sp_decision *decision)
{
    if (all.code_watcher == NO_WATCHER)
        decision->watcher = PyWeakref_NewRef((PyObject *)decision->code, all.forgetter);
    return all.code_watcher != NO_WATCHER || decision->watcher != NULL;
}

/* Put a new decision into the tables; when another thread was faster, take that one instead. */
static sp_decision *publish(sp_decision *decision)
{
    sp_map *decisions = &decision->tracing->decisions;
    sp_decision *found = sp_map_get(decisions, decision->code, NULL);
    if (found == NULL && sp_map_add(decisions, decision->code, NULL, decision) == 0) {
        if (decision->watcher == NULL
            || sp_map_add(&all.watched, decision->watcher, NULL, decision) == 0)
            found = decision;
        else
            sp_map_pop(decisions, decision->code, NULL);
    }
    return found;
}

static sp_decision *decide_anew(sp_tracing *tracing, PyCodeObject *code, const void *frame,
                                bool in_section)
{
    sp_decision *decision = sp_calloc(1, sizeof *decision);
    if (decision == NULL)
        return NULL;
    decision->tracing = tracing;
    decision->code = code;
    uint64_t serial = tracing->serial;
    PyObject *globals = sp_calls_globals(frame);
    sp_callout callout;
    sp_callout_begin_often(&callout);
    bool decided = watch(decision)
                   && (decide_plainly(decision, globals) || ask(decision, globals, in_section));
    sp_callout_end_often(&callout);
    sp_decision *published = decided && sp_tracing_is_on(serial) ? publish(decision) : NULL;
    if (published != decision)
        release(decision, NULL);
    return published;
}

sp_decision *sp_decision_find(const sp_tracing *tracing, const PyCodeObject *code)
{
    sp_decision *decision = sp_map_get(&tracing->decisions, code, NULL);
    if (decision != NULL)
        *sp_decision_place(tracing, code) = decision;
    return decision;
}

SP_NOINLINE sp_decision *sp_decide(sp_tracing *tracing, PyCodeObject *code, const void *frame,
                                   bool in_section)
{
    sp_decision *decision = sp_decision_find(tracing, code);
    if (decision != NULL && in_section && decision->postponed) {
        sp_decision_forget(tracing, code);
        decision = NULL;
    }
    if (decision != NULL)
        return decision;
    uint64_t serial = tracing->serial;
    sp_manager *manager = tracing->manager;
    decision = decide_anew(tracing, code, frame, in_section);
    if (decision == NULL && sp_tracing_is_on(serial))
        sp_calls_lost(manager);
    return decision;
}
