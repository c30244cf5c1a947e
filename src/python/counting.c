#include "python/counting.h"

#include <math.h>

#include "base/thread_guard.h"
#include "record/call_work.h"
#include "record/thread_records.h"

/* What is added at once goes to the stack. */
enum { SP_AT_ONCE = SP_QUANTITIES };

/* A number that Python can make a float of; false with an exception set that names it, and what it takes.
 * What a method of its own raises, unless that is a TypeError or OverflowError, is the program's. */
static bool get_float(PyObject *name, PyObject *value, const char *takes, double *number)
{
    *number = PyFloat_AsDouble(value);
    if (SP_LIKELY(*number != -1.0) || !PyErr_Occurred())
        return true;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%U takes %s, got %R", name, takes, value);
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Format(PyExc_ValueError, "%U takes a number below 1.8e308, got one of %.100s", name,
                     Py_TYPE(value)->tp_name);
    return false;
}

static bool get_amount(PyObject *name, PyObject *value, double *amount)
{
    if (!get_float(name, value, "a number of at least 0", amount))
        return false;
    if (SP_LIKELY(*amount >= 0 && isfinite(*amount)))
        return true;
    PyErr_Format(PyExc_ValueError, "%U takes a number of at least 0, got %R", name, value);
    return false;
}

static PyObject *add(sp_manager *manager, const sp_region *region, PyObject *const *values,
                     Py_ssize_t nargs, PyObject *names)
{
    sp_amount amounts[SP_AT_ONCE];
    Py_ssize_t count = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (nargs != 0) {
        PyErr_Format(
            PyExc_TypeError,
            "add() takes keyword arguments alone, such as flops=2e9; got %zd by position", nargs);
        return NULL;
    }
    if (count > SP_AT_ONCE) {
        PyErr_Format(PyExc_ValueError, "add() takes at most %d quantities, got %zd", SP_AT_ONCE,
                     count);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!get_amount(name, values[i], &amounts[i].amount))
            return NULL;
        amounts[i].quantity = sp_quantity_of(&manager->quantities, name);
        if (amounts[i].quantity == SP_NO_QUANTITY && PyErr_Occurred())
            return NULL;
    }
    if (count != 0)
        sp_call_add_work(manager, region, amounts, count);
    Py_RETURN_NONE;
}

const char sp_region_add_doc[] =
    "add($self, /, **amounts)\n--\n\n"
    "Say what work the call of the region that is open did: numbers of at least 0, by names of one's own.\n\n"
    "    with region(\"solve\") as solve:\n"
    "        iterations = solver(a, b)\n"
    "        solve.add(flops=2 * a.nnz * iterations, bytes=12 * a.nnz * iterations)\n\n"
    "They add up, for each region and each place in the tree, and are shown with their rate, the amount for\n"
    "each second in the region. It counts for the call of this region that was opened last in the thread or\n"
    "task; work added while none is open is left out, and the report says how often. Nothing happens while\n"
    "the region does not record. A run has up to 32 quantities. TypeError for what is no number, ValueError\n"
    "for one below 0 or not finite.";

PyObject *sp_region_add(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    sp_region *region = (sp_region *)self;
    if (!region->recording && nargs == 0)
        Py_RETURN_NONE;
    return add(region->manager, region, args, nargs, names);
}

const char sp_manager_add_doc[] =
    "add($self, /, **amounts)\n--\n\n"
    "Say what work the innermost open call did, whichever region it is of: as Region.add().";

PyObject *sp_manager_add(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    sp_manager *manager = (sp_manager *)self;
    if (!manager->recording && nargs == 0)
        Py_RETURN_NONE;
    return add(manager, NULL, args, nargs, names);
}

const char sp_manager_counter_doc[] =
    "counter($self, name, value, /)\n--\n\n"
    "Note the value that a counter of one's own has from now on: a residual, the length of a queue.\n\n"
    "    for step in range(steps):\n"
    "        counter(\"residual\", solve())\n\n"
    "Values are kept with time and thread, in the room that single calls have (max_memory, max_events), also\n"
    "in aggregation mode. Nothing happens while the run does not record. A run has up to 32 counters; values of\n"
    "others, and those that find no room, are left out, and the report says how many. TypeError when the name\n"
    "is no str or the value no number.";

PyObject *sp_manager_counter(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    sp_manager *manager = (sp_manager *)self;
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "counter() takes a name and a value, got %zd arguments",
                     nargs);
        return NULL;
    }
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "name takes a str, got %R", args[0]);
        return NULL;
    }
    if (!manager->recording || sp_unrecorded_for(manager))
        Py_RETURN_NONE;
    double value;
    if (!get_float(args[0], args[1], "a number", &value))
        return NULL;
    uint32_t counter = sp_quantity_of(&manager->counters, args[0]);
    if (counter == SP_NO_QUANTITY) {
        if (PyErr_Occurred())
            return NULL;
        SP_ADD(&manager->counters_lost, 1);
        Py_RETURN_NONE;
    }
    sp_guard_take();
    sp_thread *thread = sp_thread_of(manager);
    if (thread != NULL)
        sp_log_count(&thread->log, counter, sp_now(), value);
    else
        SP_ADD(&manager->counters_lost, 1);
    sp_guard_release();
    Py_RETURN_NONE;
}
