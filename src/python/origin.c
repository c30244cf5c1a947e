#include "python/origin.h"

#include "base/thread_guard.h"
#include "record/contexts.h"
#include "record/region.h"
#include "record/thread_records.h"

const char sp_open_regions_doc[] =
    "_open_regions()\n--\n\n"
    "The regions that are open in this thread or task, the outermost first: a tuple of Region. Calls\n"
    "on other paths, which are not told apart, are left out.";

/* What a call would be made below now; NULL when the thread has recorded nothing. */
static const sp_node *innermost(PyObject *manager)
{
    const sp_thread *thread = sp_thread_find((sp_manager *)manager);
    return thread == NULL ? NULL : sp_context_innermost(thread);
}

static Py_ssize_t count_regions(const sp_node *node)
{
    Py_ssize_t count = 0;
    for (; node != NULL; node = node->parent)
        count += node->region != NULL;
    return count;
}

static void put_regions(const sp_node *node, PyObject *tuple)
{
    for (Py_ssize_t place = PyTuple_GET_SIZE(tuple); node != NULL; node = node->parent) {
        if (node->region != NULL)
            PyTuple_SET_ITEM(tuple, --place, Py_NewRef((PyObject *)node->region));
    }
}

PyObject *sp_open_regions(PyObject *manager, PyObject *unused)
{
    (void)unused;
    for (;;) {
        sp_guard_take();
        Py_ssize_t count = count_regions(innermost(manager));
        sp_guard_release();
        PyObject *regions = PyTuple_New(count); /* Python may run here, and leave or enter some */
        if (regions == NULL)
            return NULL;
        sp_guard_take();
        const sp_node *node = innermost(manager);
        bool same = count_regions(node) == count;
        if (same)
            put_regions(node, regions);
        sp_guard_release();
        if (same)
            return regions;
        Py_DECREF(regions);
    }
}
