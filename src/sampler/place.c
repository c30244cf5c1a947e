#include "sampler/place.h"

#include "record/region.h"
#include "sampler/peek.h"

/* Whether calls of the context hang below those of the other, or are its own. */
static bool is_within(PyObject *context, const PyObject *around)
{
    enum { DEEP = 16 };
    for (int depth = 0; depth < DEEP; depth++) {
        if (context == around)
            return true;
        if (context == NULL
            || !sp_peek(&context, (char *)context + sizeof(PyObject), sizeof context))
            return false;
    }
    return false;
}

static const sp_node *open_node(const sp_stack *stack, const PyThreadState *state)
{
    sp_open_call top;
    bool open = stack->top != stack->calls && is_within(state->context, stack->context)
                && sp_peek(&top, stack->top, sizeof top);
    return open ? top.node : NULL;
}

sp_place sp_place_own(uint64_t run, const PyThreadState *state)
{
    sp_place place = {0};
    if (sp_here.owner == NULL || sp_here.run != run)
        return place;
    place.record = sp_here.thread;
    place.node = open_node(&place.record->stack, state);
    place.task = place.record->task_number;
    return place;
}

sp_place sp_place_of(const sp_thread *record, const PyThreadState *state)
{
    sp_place place = {record, NULL, 0};
    sp_stack stack;
    if (record == NULL || !sp_peek(&stack, &record->stack, sizeof stack)
        || !sp_peek(&place.task, &record->task_number, sizeof place.task))
        return (sp_place){0};
    place.node = open_node(&stack, state);
    return place;
}

const sp_thread *sp_place_record(const sp_manager *manager, uint64_t native)
{
    const sp_thread *record = NULL;
    bool read = sp_peek(&record, &manager->newest, sizeof record);
    while (read && record != NULL) {
        const sp_owner *owner;
        sp_owner copy;
        if (sp_peek(&owner, &record->owner, sizeof owner) && sp_peek(&copy, owner, sizeof copy)
            && copy.native == native && !copy.over)
            return record;
        read = sp_peek(&record, &record->older, sizeof record);
    }
    return NULL;
}

bool sp_place_is_node(const sp_thread *record, const sp_node *node)
{
    sp_node copy;
    sp_node **nodes;
    const sp_node *there;
    return node != NULL && sp_peek(&copy, node, sizeof copy) && copy.region != NULL
           && sp_peek(&nodes, &record->tree.nodes, sizeof nodes)
           && sp_peek(&there, &nodes[copy.id], sizeof there) && there == node;
}

PyObject *sp_place_path(const sp_node *node)
{
    PyObject *path = PyList_New(0);
    for (; path != NULL && node->parent != NULL; node = node->parent) {
        PyObject *name = node->region == NULL ? PyUnicode_FromString("(other paths)")
                                              : Py_NewRef(node->region->name);
        if (name == NULL || PyList_Append(path, name) < 0)
            Py_CLEAR(path);
        Py_XDECREF(name);
    }
    if (path == NULL || PyList_Reverse(path) < 0) {
        Py_XDECREF(path);
        return NULL;
    }
    PyObject *tuple = PyList_AsTuple(path);
    Py_DECREF(path);
    return tuple;
}
