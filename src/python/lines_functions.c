#include "python/lines_functions.h"

#include "base/thread_guard.h"
#include "lines/line_listing.h"
#include "lines/line_rows.h"
#include "lines/line_tables.h"
#include "lines/lines_watch.h"
#include "python/state.h"

const char sp_lines_method_doc[] = "_lines(region)\n--\n\n"
                                   "[(region, (file, first line, function), [(line, hits, "
                                   "nanoseconds, extras), ...], again), ...] of the\n"
                                   "current run: what each thread counted in a code object for a "
                                   "region, the latest first. extras: what\n"
                                   "else is known of the line, by the names of CountedLine, or "
                                   "None. again: it counted the same for\n"
                                   "another region of the manager as well, where that is False.\n"
                                   "region: the one wanted, or None for all.";

PyObject *sp_lines_method(PyObject *self, PyObject *wanted)
{
    if (wanted != Py_None
        && !PyObject_TypeCheck(wanted, ((sp_manager *)self)->state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_lines() takes a region or None");
        return NULL;
    }
    sp_shared_take();
    PyObject *list = sp_lines_rows((const sp_manager *)self,
                                   wanted == Py_None ? NULL : (const sp_region *)wanted);
    sp_shared_release();
    return list;
}

const char sp_lines_take_method_doc[] =
    "_take_lines()\n--\n\n"
    "_lines(None), and lines count from nothing again. Of a line that runs, the hit is there already; its\n"
    "time is in what is taken next.";

PyObject *sp_lines_take_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    sp_shared_take();
    sp_stop_threads();
    sp_line_table *taken = sp_line_tables_take((const sp_manager *)self);
    sp_resume_threads();
    PyObject *list = sp_lines_rows_of(taken);
    sp_line_tables_taken_free(taken);
    sp_shared_release();
    return list;
}

static const char watch_doc[] =
"watch_lines(region, code, always=...)\n--\n\n"
"From now on the lines of the code object count for the region while it is open, or always; when it\n"
"is not said which, while it is open, or as it was.";

static PyObject *watch_lines(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    sp_state *state = PyModule_GetState(module);
    if (nargs < 2 || nargs > 3 || !PyObject_TypeCheck(args[0], state->region_type)
        || !PyCode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "watch_lines() takes a region and a code object");
        return NULL;
    }
    sp_line_when when = nargs == 2             ? SP_WATCH_AS_BEFORE
                        : args[2] == Py_True ? SP_WATCH_ALWAYS
                                             : SP_WATCH_OPEN;
    sp_shared_take();
    int result = sp_lines_watch((sp_region *)args[0], (PyCodeObject *)args[1], when);
    sp_shared_release();
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static const char list_doc[] =
    "list_lines(code, texts)\n--\n\n"
    "From now on the lines of the code object are printed to sys.stdout as they run, where they are recorded.\n"
    "texts: a tuple of str, that of a call, then those of its lines, from the first on.";

static PyObject *list_lines(PyObject *module, PyObject *args)
{
    PyObject *code, *texts;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!:list_lines", &PyCode_Type, &code, &PyTuple_Type, &texts))
        return NULL;
    sp_shared_take();
    sp_line_listing_add((PyCodeObject *)code, texts);
    sp_shared_release();
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static const char end_listing_doc[] =
    "end_listing()\n--\n\n"
    "Lines are printed no longer. Returns the exception that has ended it before, or None.";

static PyObject *end_listing(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    sp_shared_take();
    PyObject *ended_by = sp_line_listing_end();
    sp_shared_release();
    return ended_by;
}

static PyMethodDef functions[] = {
    {"list_lines", list_lines, METH_VARARGS, list_doc},
    {"end_listing", end_listing, METH_NOARGS, end_listing_doc},
    {"watch_lines", (PyCFunction)(void (*)(void))watch_lines, METH_FASTCALL, watch_doc},
    {NULL},
};

int sp_lines_functions_init(PyObject *module) { return PyModule_AddFunctions(module, functions); }
