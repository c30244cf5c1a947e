#include "python/counting.h"

#include <math.h>

#include "record/call_work.h"

/* What is added at once goes to the stack. */
enum { SP_AT_ONCE = SP_QUANTITIES };

/* A number that Python can make a float of; false with an exception set that names it. What a method of
 * its own raises, unless that is a TypeError or OverflowError, is the program's. */
static bool get_amount(PyObject *name, PyObject *value, double *amount)
{
    *amount = PyFloat_AsDouble(value);
    if (SP_UNLIKELY(*amount == -1.0) && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%U takes a number of at least 0, got %R", name, value);
        else if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_Format(PyExc_ValueError, "%U takes a number below 1.8e308, got one of %.100s",
                         name, Py_TYPE(value)->tp_name);
        return false;
    }
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
