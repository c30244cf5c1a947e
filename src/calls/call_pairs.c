#include "calls/call_pairs.h"

#include "base/heap.h"
#include "record/open_call.h"

/* The names are what the table has it by. Owned. */
typedef struct {
    PyObject *caller, *called;
} pair;

/* What is open around it: the first of a task hangs below a call of another stack. NULL for nothing. */
static const sp_region *caller_of(const sp_stack *stack)
{
    if (stack->top - 1 > stack->calls)
        return (stack->top - 1)->region;
    return stack->top->node->parent->region;
}

void sp_call_pairs_note(sp_tracing *tracing, const void *key)
{
    const sp_stack *stack = &sp_here.thread->stack;
    if (sp_here.run != tracing->manager->run || stack->top->key != key)
        return; /* it could not be recorded */
    const sp_region *caller = caller_of(stack), *called = stack->top->region;
    if (caller == NULL || sp_map_get(&tracing->pairs, caller->name, called->name) != NULL)
        return;
    pair *new = sp_malloc(sizeof *new);
    if (new == NULL || sp_map_add(&tracing->pairs, caller->name, called->name, new) < 0) {
        sp_free(new);
        sp_calls_lost(tracing->manager);
        return;
    }
    *new = (pair){Py_NewRef(caller->name), Py_NewRef(called->name)};
}

static int append(void *value, void *list)
{
    const pair *found = value;
    PyObject *names = PyTuple_Pack(2, found->caller, found->called);
    int result = names == NULL ? -1 : PyList_Append(list, names);
    Py_XDECREF(names);
    return result;
}

PyObject *sp_call_pairs_list(const sp_tracing *tracing)
{
    PyObject *list = PyList_New(0);
    if (list != NULL && sp_map_each(&tracing->pairs, append, list) < 0)
        Py_CLEAR(list);
    return list;
}

static int forget(void *value, void *unused)
{
    pair *found = value;
    (void)unused;
    Py_DECREF(found->caller);
    Py_DECREF(found->called);
    sp_free(found);
    return 0;
}

void sp_call_pairs_forget(sp_tracing *tracing)
{
    sp_map_each(&tracing->pairs, forget, NULL);
    sp_map_free(&tracing->pairs);
}
