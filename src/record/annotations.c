#include "record/annotations.h"

#include "base/thread_guard.h"
#include "record/open_call.h"

/* The exception that is set, as text; NULL when there is none. */
static PyObject *take_message(void)
{
    PyObject *exception = sp_exception_object();
    PyObject *message = exception == NULL ? NULL : PyObject_Repr(exception);
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt(); /* it arrives where it can be raised */
    PyErr_Clear();
    Py_XDECREF(exception);
    return message;
}

void sp_annotation_failed(sp_manager *manager)
{
    PyObject *message = take_message();
    sp_shared_take();
    manager->metadata_lost++;
    if (manager->metadata_error == NULL) {
        manager->metadata_error = message;
        message = NULL;
    }
    sp_shared_release();
    Py_XDECREF(message);
}

sp_annotation sp_annotation_note(sp_manager *manager, PyObject *entry)
{
    if (manager->annotations == NULL)
        manager->annotations = PyList_New(0);
    if (manager->annotations == NULL || PyList_Append(manager->annotations, entry) < 0) {
        sp_annotation_failed(manager);
        return (sp_annotation){0};
    }
    uint32_t number = (uint32_t)PyList_GET_SIZE(manager->annotations);
    if (manager->blocks != NULL && manager->blocks->noted != NULL)
        manager->blocks->noted(manager->blocks, number, entry);
    return (sp_annotation){manager->run, number};
}

/* What the run has under the number, or None. Borrowed. */
static PyObject *entry_of(const sp_manager *manager, sp_annotation annotation)
{
    uint32_t number = sp_annotation_in(manager, annotation);
    return number == 0 ? Py_None : PyList_GET_ITEM(manager->annotations, number - 1);
}

static sp_annotation note_outcome(sp_manager *manager, sp_annotation annotation, PyObject *raised)
{
    sp_annotation noted = {0};
    PyObject *values = Py_NewRef(entry_of(manager, annotation));
    PyObject *entry = PyTuple_Pack(2, values, raised);
    if (entry != NULL)
        noted = sp_annotation_note(manager, entry);
    Py_XDECREF(entry);
    Py_DECREF(values);
    return noted;
}

/* (number, name of the exception or None) -> number, kept in a dict: it is the same few all the
 * time. What makes objects may collect garbage, and so begin another run: the dict is held. */
static sp_annotation find_outcome(sp_manager *manager, sp_annotation annotation, PyObject *raised)
{
    sp_annotation found = {0};
    PyObject *key = Py_BuildValue("(IO)", annotation.number, raised);
    PyObject *outcomes = manager->outcomes;
    if (outcomes == NULL)
        outcomes = manager->outcomes = PyDict_New();
    if (key == NULL || outcomes == NULL) {
        Py_XDECREF(key);
        return found;
    }
    Py_INCREF(outcomes);
    PyObject *number = PyDict_GetItemWithError(outcomes, key);
    if (number != NULL) {
        found = (sp_annotation){annotation.run, (uint32_t)PyLong_AsUnsignedLong(number)};
    }
    else if (!PyErr_Occurred()) {
        found = note_outcome(manager, annotation, raised);
        number = found.number == 0 ? NULL : PyLong_FromUnsignedLong(found.number);
        if (number != NULL && PyDict_SetItem(outcomes, key, number) < 0)
            PyErr_Clear();
        Py_XDECREF(number);
    }
    Py_DECREF(outcomes);
    Py_DECREF(key);
    return found;
}

sp_annotation sp_annotation_outcome(sp_manager *manager, sp_annotation annotation, bool failed)
{
    if (!manager->events || annotation.run != manager->run)
        return annotation;
    sp_exception under_way = sp_exception_take();
    sp_shared_take();
    sp_annotation found = {0};
    PyObject *raised = failed ? PyType_GetName(sp_exception_type(under_way)) : Py_NewRef(Py_None);
    if (raised != NULL)
        found = find_outcome(manager, annotation, raised);
    Py_XDECREF(raised);
    if (found.number == 0)
        sp_annotation_failed(manager);
    sp_shared_release();
    sp_exception_restore(under_way);
    return found.number == 0 ? annotation : found;
}

void sp_annotation_note_outcome(sp_region *region, const void *key, bool failed)
{
    sp_manager *manager = region->manager;
    sp_annotation annotation = {0};
    sp_open_call_did(manager, SP_OUTCOME);
    sp_guard_take();
    const sp_open_call *open = sp_open_call_of(manager, region, key);
    if (open != NULL)
        annotation = (sp_annotation){manager->run, open->annotation};
    sp_guard_release();
    annotation = sp_annotation_outcome(manager, annotation, failed);
    sp_guard_take();
    sp_open_call *still = sp_open_call_of(manager, region, key);
    if (still != NULL)
        still->annotation = sp_annotation_in(manager, annotation);
    sp_guard_release();
}

sp_left_annotations sp_annotations_leave(sp_manager *manager)
{
    sp_left_annotations left = {manager->annotations, manager->outcomes, manager->metadata_error};
    manager->annotations = manager->outcomes = manager->metadata_error = NULL;
    manager->metadata_lost = 0;
    manager->annotated = false;
    return left;
}

void sp_annotations_release(sp_left_annotations *left)
{
    Py_CLEAR(left->annotations);
    Py_CLEAR(left->outcomes);
    Py_CLEAR(left->error);
}
