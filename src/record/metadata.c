#include "record/metadata.h"

#include "base/list.h"
#include "base/thread_guard.h"
#include "record/annotations.h"
#include "record/open_call.h"

static PyObject *in_force; /* context variable: the scope that was entered last, or None. Owned, for ever. */

int sp_metadata_init(void)
{
    if (in_force == NULL)
        in_force = PyContextVar_New("scope_profiler.metadata", NULL);
    return in_force == NULL ? -1 : 0;
}

/* Calls of the run may have metadata from now on: mark the regions, once. */
static void announce(sp_manager *manager)
{
    if (manager->annotated || !manager->recording || !manager->events)
        return;
    sp_stop_threads();
    manager->annotated = true;
    for (uint32_t i = 0; i < manager->region_count; i++)
        sp_region_switch(manager->regions[i]);
    sp_resume_threads();
}

/* The scope that was entered last here, of whichever manager, a new reference; NULL for none. Scopes
 * that have been left, in another order or in another context, are passed over. */
static int innermost(sp_metadata_scope **scope)
{
    PyObject *value = NULL;
    if (PyContextVar_Get(in_force, NULL, &value) < 0)
        return -1;
    if (value == Py_None)
        Py_CLEAR(value);
    while (value != NULL && SP_UNLIKELY(!((sp_metadata_scope *)value)->open))
        Py_SETREF(value, Py_XNewRef(((sp_metadata_scope *)value)->outer));
    *scope = (sp_metadata_scope *)value;
    return 0;
}

/* The innermost of the manager's that is open, this one or around it; NULL when there is none.
 * Borrowed. */
static sp_metadata_scope *of_manager(sp_metadata_scope *scope, const sp_manager *manager)
{
    while (scope != NULL && (scope->manager != manager || !scope->open))
        scope = (sp_metadata_scope *)scope->outer;
    return scope;
}

/* The manager's scope in force here, a new reference; NULL for none. */
static int current(const sp_manager *manager, sp_metadata_scope **scope)
{
    sp_metadata_scope *inner = NULL;
    if (innermost(&inner) < 0)
        return -1;
    *scope = (sp_metadata_scope *)Py_XNewRef(of_manager(inner, manager));
    Py_XDECREF(inner);
    return 0;
}

static int put_in_force(PyObject *scope)
{
    PyObject *token = PyContextVar_Set(in_force, scope == NULL ? Py_None : scope);
    Py_XDECREF(token);
    return token == NULL ? -1 : 0;
}

/* Values around it hold inside it as well, and come first, unless it has its own. The dict stays the
 * same: the user may have it already. */
static int merge(sp_metadata_scope *scope, const sp_metadata_scope *around)
{
    if (scope->merged)
        return 0;
    scope->merged = true;
    if (around == NULL)
        return 0;
    PyObject *merged = PyDict_Copy(around->values);
    int result = merged == NULL ? -1 : PyDict_Update(merged, scope->values);
    if (result == 0) {
        PyDict_Clear(scope->values);
        result = PyDict_Update(scope->values, merged);
    }
    Py_XDECREF(merged);
    return result;
}

/* Whether the scope is this one or somewhere around it, left or not. */
static bool is_around(const sp_metadata_scope *scope, const sp_metadata_scope *inner)
{
    while (inner != NULL && inner != scope)
        inner = (const sp_metadata_scope *)inner->outer;
    return inner != NULL;
}

/* One that was left while one inside it stays open, as between a coroutine's steps, is entered again
 * where it was: inside that, the two would lead to each other for ever. */
static int put_around(sp_metadata_scope *scope, sp_metadata_scope *around)
{
    if (is_around(scope, around)) {
        Py_DECREF(around);
        return 0;
    }
    Py_XSETREF(scope->outer, (PyObject *)around);
    return merge(scope, of_manager(around, scope->manager)) < 0
               ? -1
               : put_in_force((PyObject *)scope);
}

/* Setting a context variable costs more than all the rest. So what is entered without a run waits in
 * a list, and the run that begins inside it, in its context, puts it in force. */
static void wait_for_run(sp_metadata_scope *scope, PyObject *context)
{
    sp_manager *manager = scope->manager;
    scope->open = true;
    scope->context = Py_NewRef(context);
    sp_shared_take();
    SP_LIST_ADD(manager->waiting, scope, next, link);
    sp_shared_release();
}

void sp_metadata_wait_no_more(sp_metadata_scope *scope)
{
    sp_shared_take();
    SP_LIST_REMOVE(scope, next, link);
    sp_shared_release();
    Py_CLEAR(scope->context);
}

/* The scope that waits longest in this context, a new reference; NULL for none. */
static sp_metadata_scope *outermost_waiting(const sp_manager *manager)
{
    sp_metadata_scope *found = NULL;
    sp_shared_take();
    for (sp_metadata_scope *scope = manager->waiting; scope != NULL; scope = scope->next) {
        if (scope->context == sp_current_context())
            found = scope;
    }
    Py_XINCREF(found);
    sp_shared_release();
    return found;
}

static int come_into_force(sp_metadata_scope *scope)
{
    sp_manager *manager = scope->manager;
    sp_metadata_scope *around;
    if (innermost(&around) < 0 || put_around(scope, around) < 0)
        return -1;
    scope->open = true;
    manager->scoped = true;
    sp_open_call_did(manager, SP_METADATA);
    announce(manager);
    return 0;
}

void sp_metadata_begin(sp_manager *manager)
{
    for (sp_metadata_scope *scope; (scope = outermost_waiting(manager)) != NULL; Py_DECREF(scope)) {
        sp_metadata_wait_no_more(scope);
        if (come_into_force(scope) < 0)
            sp_annotation_failed(manager);
    }
}

int sp_metadata_enter(sp_metadata_scope *scope)
{
    PyObject *context = sp_current_context();
    if (scope->manager->run != SP_NO_RUN || context == NULL)
        return come_into_force(scope);
    wait_for_run(scope, context);
    return 0;
}

void sp_metadata_leave(sp_metadata_scope *scope)
{
    sp_metadata_scope *around = NULL;
    scope->open = false;
    if (scope->context != NULL) {
        sp_metadata_wait_no_more(scope);
        return;
    }
    if (innermost(&around) < 0 || put_in_force((PyObject *)around) < 0)
        PyErr_Clear();
    Py_XDECREF(around);
}

void sp_metadata_push(PyObject *scope)
{
    if (sp_metadata_enter((sp_metadata_scope *)scope) < 0)
        sp_annotation_failed(((sp_metadata_scope *)scope)->manager);
}

void sp_metadata_pop(PyObject *scope)
{
    sp_exception under_way = sp_exception_take();
    sp_metadata_leave((sp_metadata_scope *)scope);
    sp_exception_restore(under_way);
}

static sp_annotation note_now(sp_manager *manager)
{
    sp_metadata_scope *scope;
    if (current(manager, &scope) < 0) {
        sp_annotation_failed(manager);
        return (sp_annotation){0};
    }
    if (scope == NULL)
        return (sp_annotation){0};
    sp_shared_take();
    if (SP_UNLIKELY(scope->noted.run != manager->run))
        scope->noted = sp_annotation_note(manager, scope->values);
    sp_annotation noted = scope->noted;
    sp_shared_release();
    Py_DECREF(scope);
    return noted;
}

PyObject *sp_metadata_values(sp_manager *manager)
{
    sp_metadata_scope *scope = NULL;
    if (current(manager, &scope) < 0)
        return NULL;
    PyObject *values = scope == NULL ? PyDict_New() : PyDict_Copy(scope->values);
    Py_XDECREF(scope);
    return values;
}

SP_NOINLINE sp_annotation sp_metadata_now(sp_manager *manager)
{
    sp_open_call_did(manager, SP_ANNOTATION);
    sp_lend_regions(manager);
    sp_annotation noted = note_now(manager);
    sp_take_back_regions(manager);
    return noted;
}
