#include "calls/c_calls.h"

#include "base/callout.h"
#include "base/heap.h"

unsigned sp_c_calls_needed;
sp_c_function *sp_c_functions_used[SP_C_FUNCTIONS];

/* ---- Deciding ---------------------------------------------------------------------------- */

static sp_c_function *decide(sp_tracing *tracing, const PyMethodDef *definition,
                             PyObject *function)
{
    sp_callout callout;
    sp_callout_begin(&callout);
    PyObject *answer, *arguments[] = {(PyObject *)tracing->manager, function};
    bool holds = sp_decide_ask(tracing, tracing->decide_c, arguments, 2, &answer);
    sp_c_function *decided = NULL;
    if (holds) /* another thread may have been faster */
        decided = sp_map_get(&tracing->c_functions, definition, definition->ml_name);
    if (holds && decided == NULL && (decided = sp_malloc(sizeof *decided)) != NULL) {
        sp_region *region = answer == NULL || answer == Py_None ? NULL : (sp_region *)answer;
        *decided = (sp_c_function){tracing, definition, definition->ml_name, region, {0}};
        if (sp_map_add(&tracing->c_functions, definition, definition->ml_name, decided) < 0) {
            sp_free(decided);
            decided = NULL;
        }
    }
    Py_XDECREF(answer);
    sp_callout_end(&callout);
    return decided;
}

/* What has been decided about the C function, or NULL. */
static sp_c_function *decided_about(const sp_tracing *tracing, const PyMethodDef *definition)
{
    sp_c_function *used = sp_c_function_used(tracing, definition);
    if (SP_LIKELY(used != NULL))
        return used;
    used = sp_map_get(&tracing->c_functions, definition, definition->ml_name);
    if (used != NULL)
        *sp_c_function_place(tracing, definition) = used;
    return used;
}

/* The same, decided now when it has not been; NULL when it cannot be, or the tracing is over. */
static sp_c_function *decision_about(sp_tracing *tracing, const PyMethodDef *definition,
                                     PyObject *function)
{
    sp_c_function *decided = decided_about(tracing, definition);
    if (SP_LIKELY(decided != NULL))
        return decided;
    uint64_t serial = tracing->serial;
    sp_manager *manager = tracing->manager;
    decided = decide(tracing, definition, function);
    if (decided == NULL && sp_tracing_is_on(serial))
        sp_calls_lost(manager);
    return decided;
}

static int forget(void *value, void *unused)
{
    sp_c_function *function = value;
    (void)unused;
    sp_c_function **place = sp_c_function_place(function->tracing, function->definition);
    if (*place == function)
        *place = NULL;
    sp_map_pop(&function->tracing->c_functions, function->definition, function->name);
    sp_free(function);
    return 0;
}

void sp_c_functions_forget(sp_tracing *tracing)
{
    sp_map_each(&tracing->c_functions, forget, NULL);
}

static int keep(void *value, void *unused)
{
    const sp_c_function *function = value;
    (void)unused;
    if (function->region != NULL)
        function->region->decided = true;
    return 0;
}

void sp_c_functions_keep(const sp_tracing *tracing)
{
    sp_map_each(&tracing->c_functions, keep, NULL);
}

/* ---- Events ------------------------------------------------------------------------------ */

bool sp_c_calls_wanted_slow(const PyCodeObject *code)
{
    for (const sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        if (tracing->decide_c == NULL)
            continue;
        const sp_decision *decision = sp_decision_of(tracing, code);
        if (decision != NULL && sp_c_calls_wanted_in(tracing, decision))
            return true;
    }
    return false;
}

/* False when the tracing is over now, as Python runs here. */
static bool enter(sp_tracing *tracing, const void *frame, const PyMethodDef *definition,
                  PyObject *function)
{
    uint64_t serial = tracing->serial;
    sp_manager *manager = tracing->manager;
    sp_c_function *decision = decision_about(tracing, definition, function);
    if (decision == NULL)
        return false;
    sp_region *region = decision->region;
    if (region == NULL || !region->recording)
        return true;
    sp_c_call_end_stale(tracing, frame);
    if (sp_calls_too_deep(tracing))
        return true;
    if (tracing->throttle.calls != 0 && !sp_throttle_times(&decision->throttle)) {
        sp_open_call_count_only(manager, region);
        return true;
    }
    sp_open_call_enter(manager, region, sp_c_call_key(frame), sp_metadata_for(region));
    return sp_tracing_is_on(serial);
}

bool sp_c_calls_enter_slow(const void *frame, PyCodeObject *code, PyObject *function,
                           PyObject *self)
{
    bool wanted = false;
    const PyMethodDef *definition = sp_c_definition_of_called(function, self);
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        if (tracing->decide_c == NULL)
            continue;
        if (SP_UNLIKELY(sp_unrecorded_for(tracing->manager))) { /* nor is anything decided now */
            wanted = true;
            continue;
        }
        const sp_decision *decision = sp_decision_used(tracing, code);
        if (SP_UNLIKELY(decision == NULL))
            decision = sp_decide(tracing, code, frame, sp_section_is_open(tracing));
        if (SP_UNLIKELY(decision == NULL))
            return true; /* the tracing may be gone: the rest of the list is not to be trusted */
        wanted |= decision->c_calls || decision->postponed;
        if (definition != NULL && sp_c_calls_wanted_in(tracing, decision)
            && !enter(tracing, frame, definition, function))
            return true;
    }
    return wanted;
}

void sp_c_calls_leave_slow(const void *frame, PyObject *function, bool failed)
{
    const PyMethodDef *definition = sp_c_definition_of(function);
    if (definition == NULL)
        return;
    for (sp_tracing *tracing = sp_tracings; tracing != NULL; tracing = tracing->next) {
        if (tracing->decide_c == NULL)
            continue;
        sp_c_function *throttled =
            tracing->throttle.calls != 0 ? decided_about(tracing, definition) : NULL;
        if (throttled != NULL && sp_throttle_is_over(&throttled->throttle))
            continue;
        const sp_open_call *open = sp_traced_open(tracing, sp_c_call_key(frame));
        if (open == NULL)
            continue;
        uint64_t now = sp_now();
        if (throttled != NULL)
            sp_throttle_note(&throttled->throttle, tracing->throttle, now - open->start);
        sp_open_call_leave(tracing->manager, open->region, open->key, now, failed, SP_TRACED_C);
    }
    sp_traced_ended();
}

void sp_c_call_end_stale(const sp_tracing *tracing, const void *frame)
{
    if (tracing->decide_c == NULL || sp_here.run != tracing->manager->run)
        return;
    const sp_open_call *top = sp_here.thread->stack.top;
    if (SP_UNLIKELY(top->key == sp_c_call_key(frame)))
        sp_open_call_leave(tracing->manager, top->region, top->key, sp_now(), false, SP_TRACED_C);
}
