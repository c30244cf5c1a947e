#include "record/checkpoint.h"

#include "base/callout.h"

static const double FIRST_NS = 1e8, AFTER_FAILURE_NS = 6e10;

/* Under the manager's lock, or under stop. */
static void set_due(sp_manager *manager, uint64_t due)
{
    manager->checkpoint_due = due;
    sp_manager_set_due(manager);
}

void sp_checkpoint_begin(sp_manager *manager, bool wanted)
{
    set_due(manager, wanted ? sp_now() + (uint64_t)(FIRST_NS / sp_clock_scale()) : SP_NEVER);
}

/* on_checkpoint(manager): nanoseconds to the next one. */
static double call(sp_manager *manager)
{
    sp_callout callout;
    sp_lend_regions(manager);
    sp_callout_begin(&callout);
    PyObject *function = sp_field_get((PyObject *)manager, &manager->on_checkpoint);
    PyObject *result =
        function == Py_None ? NULL : PyObject_CallOneArg(function, (PyObject *)manager);
    double pause_ns = result == NULL ? -1 : PyFloat_AsDouble(result);
    Py_XDECREF(result);
    Py_DECREF(function);
    sp_callout_end(&callout);
    sp_take_back_regions(manager);
    return pause_ns > 0 ? pause_ns : AFTER_FAILURE_NS;
}

/* One thread makes it, the others go on. */
void sp_checkpoint_make(sp_manager *manager, uint64_t now)
{
    SP_LOCK(&manager->lock);
    uint64_t run = manager->run;
    bool due = now >= manager->checkpoint_due && run != SP_NO_RUN && !sp_unrecorded_for(manager)
               && sp_local_is_mine();
    if (due)
        set_due(manager, SP_NEVER);
    SP_UNLOCK(&manager->lock);
    if (!due)
        return;
    double pause_ns = call(manager);
    SP_LOCK(&manager->lock);
    if (manager->run == run)
        set_due(manager, sp_now() + (uint64_t)(pause_ns / sp_clock_scale()));
    SP_UNLOCK(&manager->lock);
}
