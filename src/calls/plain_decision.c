#include "calls/plain_decision.h"

struct sp_region *(*sp_plain_region)(sp_manager *manager, PyObject *name, PyObject *file,
                                     int line);

enum { NOT_TRACED, DECORATED, PARTS };

bool sp_decides_plainly(PyObject *plain)
{
    return plain == Py_None
           || (PyTuple_Check(plain) && PyTuple_GET_SIZE(plain) == PARTS
               && PyTuple_Check(PyTuple_GET_ITEM(plain, NOT_TRACED))
               && PyDict_Check(PyTuple_GET_ITEM(plain, DECORATED)));
}

static bool is_traced(const PyCodeObject *code, PyObject *not_traced)
{
    enum { BEGIN = -1 };
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(not_traced); i++) {
        PyObject *beginning = PyTuple_GET_ITEM(not_traced, i);
        if (PyUnicode_Tailmatch(code->co_filename, beginning, 0, PY_SSIZE_T_MAX, BEGIN) != 0)
            return false; /* or that failed */
    }
    return true;
}

static bool is_comprehension(const PyCodeObject *code)
{
    static const char *const names[] = {"<listcomp>", "<setcomp>", "<dictcomp>"};
    Py_ssize_t length = PyUnicode_GET_LENGTH(code->co_qualname);
    if (length == 0 || PyUnicode_READ_CHAR(code->co_qualname, length - 1) != '>')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (PyUnicode_CompareWithASCIIString(code->co_name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_decorated(PyCodeObject *code, PyObject *decorated)
{
    if (PyDict_GET_SIZE(decorated) == 0)
        return false;
    PyObject *number = PyLong_FromVoidPtr(code);
    bool is = number == NULL || PyDict_Contains(decorated, number) != 0; /* or that failed */
    Py_XDECREF(number);
    return is;
}

/* The two with a dot between them, in a fourth of the time of PyUnicode_FromFormat(); or NULL. */
static PyObject *with_dot(PyObject *module, PyObject *function)
{
    Py_ssize_t before = PyUnicode_GET_LENGTH(module), after = PyUnicode_GET_LENGTH(function);
    Py_UCS4 highest =
        Py_MAX(PyUnicode_MAX_CHAR_VALUE(module), PyUnicode_MAX_CHAR_VALUE(function));
    PyObject *name = PyUnicode_New(before + 1 + after, highest);
    if (name != NULL
        && (PyUnicode_CopyCharacters(name, 0, module, 0, before) < 0
            || PyUnicode_WriteChar(name, before, '.') < 0
            || PyUnicode_CopyCharacters(name, before + 1, function, 0, after) < 0))
        Py_CLEAR(name);
    return name;
}

/* The name of the function, or NULL. */
static PyObject *name_of(const PyCodeObject *code, PyObject *globals)
{
    static PyObject *key = NULL; /* for ever */
    if (key == NULL && (key = PyUnicode_InternFromString("__name__")) == NULL)
        return NULL;
    PyObject *module = PyDict_CheckExact(globals) ? PyDict_GetItemWithError(globals, key) : NULL;
    if (module == NULL || !PyUnicode_CheckExact(module)
        || PyUnicode_CompareWithASCIIString(module, "__mp_main__") == 0)
        return NULL;
    return with_dot(module, code->co_qualname);
}

struct sp_region *sp_decide_plainly(sp_manager *manager, PyObject *plain, PyCodeObject *code,
                                    PyObject *globals)
{
    if (!is_traced(code, PyTuple_GET_ITEM(plain, NOT_TRACED)) || is_comprehension(code)
        || is_decorated(code, PyTuple_GET_ITEM(plain, DECORATED)))
        return NULL;
    PyObject *name = name_of(code, globals);
    struct sp_region *region =
        name == NULL ? NULL
                     : sp_plain_region(manager, name, code->co_filename, code->co_firstlineno);
    Py_XDECREF(name);
    PyErr_Clear(); /* Python will run into the same, and tells of it */
    return region;
}
