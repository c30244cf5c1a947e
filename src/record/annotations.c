#include "record/annotations.h"

#include "base/heap.h"
#include "base/thread_guard.h"
#include "record/contexts.h"
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

/* Numbers of entries that are gone are used again, where every open call of theirs has been seen: those of
 * tracked tasks have not. */
static bool uses_again(const sp_manager *manager)
{
#ifdef Py_GIL_DISABLED
    (void)manager; /* a number may be on its way to a call that ends */
    return false;
#else
    return !manager->waits;
#endif
}

/* The number of the entry, or 0 with an exception set. */
static uint32_t add(sp_manager *manager, PyObject *entry)
{
    if (manager->annotations == NULL && (manager->annotations = PyList_New(0)) == NULL)
        return 0;
    PyObject *list = manager->annotations;
    Py_ssize_t *from = &manager->annotations_from;
    while (*from < PyList_GET_SIZE(list) && PyList_GET_ITEM(list, *from) != Py_None)
        ++*from;
    if (*from < PyList_GET_SIZE(list) && uses_again(manager)) {
        PyList_SetItem(list, *from, Py_NewRef(entry));
        return (uint32_t)++*from;
    }
    return PyList_Append(list, entry) < 0 ? 0 : (uint32_t)PyList_GET_SIZE(list);
}

sp_annotation sp_annotation_note(sp_manager *manager, PyObject *entry)
{
    uint32_t number = add(manager, entry);
    if (number == 0) {
        sp_annotation_failed(manager);
        return (sp_annotation){0};
    }
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

PyObject *sp_annotation_keep(const sp_manager *manager, uint32_t number)
{
    const PyObject *list = manager->annotations;
    if (number == 0 || list == NULL || number > (size_t)PyList_GET_SIZE(list))
        return NULL; /* one that is thinned */
    return Py_NewRef(PyList_GET_ITEM(list, number - 1));
}

/* ---- Parts of a run ---------------------------------------------------------------------- */

typedef struct {
    bool *used; /* by number less one */
    size_t count;
} marking;

static int mark_open(sp_thread *thread, void *argument)
{
    const marking *marked = argument;
    for (const sp_open_call *open = thread->stack.top; open > thread->stack.calls; open--) {
        if (open->annotation != 0 && open->annotation <= marked->count)
            marked->used[open->annotation - 1] = true;
    }
    return 0;
}

static int mark_thread(void *thread, void *marked)
{
    mark_open(thread, marked);
    sp_contexts_each(thread, mark_open, marked);
    return 0;
}

/* Put what is used into the list, at its place. False when memory is out. */
static bool put_used(sp_manager *manager, PyObject *fresh)
{
    PyObject *list = manager->annotations;
    size_t count = (size_t)PyList_GET_SIZE(list), needed = uses_again(manager) ? 0 : count;
    marking marked = {sp_calloc(count + 1, sizeof *marked.used), count};
    if (marked.used == NULL)
        return false;
    sp_map_each(&manager->threads, mark_thread, &marked);
    for (size_t i = 0; i < count; i++) {
        marked.used[i] |= Py_REFCNT(PyList_GET_ITEM(list, (Py_ssize_t)i)) > 1;
        if (marked.used[i] && needed < i + 1)
            needed = i + 1;
    }
    bool done = true;
    for (size_t i = 0; i < needed && done; i++) {
        PyObject *entry = marked.used[i] ? PyList_GET_ITEM(list, (Py_ssize_t)i) : Py_None;
        done = PyList_Append(fresh, entry) == 0;
    }
    if (!done)
        PyErr_Clear();
    sp_free(marked.used);
    return done;
}

/* What journals to come begin with. */
static void note_anew(sp_manager *manager)
{
    if (manager->blocks == NULL || manager->blocks->noted == NULL)
        return;
    manager->blocks->forget_notes(manager->blocks);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(manager->annotations); i++) {
        PyObject *entry = PyList_GET_ITEM(manager->annotations, i);
        if (entry != Py_None)
            manager->blocks->noted(manager->blocks, (uint32_t)i + 1, entry);
    }
}

sp_left_annotations sp_annotations_start_over(sp_manager *manager, PyObject *fresh)
{
    sp_left_annotations left = {0};
    if (manager->annotations == NULL || !put_used(manager, fresh))
        return left;
    left.handed_out = manager->handed_out;
    left.outcomes = manager->outcomes;
    manager->handed_out = manager->annotations;
    manager->annotations = Py_NewRef(fresh);
    manager->annotations_from = 0;
    manager->outcomes = NULL;
    note_anew(manager);
    return left;
}

sp_left_annotations sp_annotations_leave(sp_manager *manager)
{
    sp_left_annotations left = {manager->annotations, manager->handed_out, manager->outcomes,
                                manager->metadata_error};
    manager->annotations = manager->handed_out = manager->outcomes = manager->metadata_error =
        NULL;
    manager->annotations_from = 0;
    manager->metadata_lost = 0;
    manager->annotated = false;
    return left;
}

void sp_annotations_release(sp_left_annotations *left)
{
    Py_CLEAR(left->annotations);
    Py_CLEAR(left->handed_out);
    Py_CLEAR(left->outcomes);
    Py_CLEAR(left->error);
}
