#include "lines/line_listing.h"

#include "base/callout.h"
#include "base/thread_guard.h"
#include "lines/line_codes.h"
#include "lines/line_match.h"

bool sp_line_listing;
static PyObject *failure;    /* the exception that has ended it, or NULL. Owned. */
static PyObject *write_name; /* "write". Owned, for ever. */

/* That of a line, less the first, or with -1 of the call; NULL where there is none. */
static PyObject *text_at(const sp_line_code *code, int index)
{
    bool known = index + 1 < PyTuple_GET_SIZE(code->texts);
    return known ? Py_NewRef(PyTuple_GET_ITEM(code->texts, index + 1)) : NULL;
}

/* What is to be printed for the line, and before it for the call that it begins; or NULL. */
static PyObject *texts_of(const void *frame, PyCodeObject *code, int line, PyObject **call)
{
    const sp_line_frame *recorded = sp_line_match(frame, code, sp_now());
    int index = recorded == NULL ? -1 : sp_line_index(recorded, line);
    if (index < 0 || recorded->code->texts == NULL)
        return NULL;
    if (recorded->serial > sp_line_here->listed) { /* none of its lines has been printed */
        sp_line_here->listed = recorded->serial;
        *call = text_at(recorded->code, -1);
    }
    return text_at(recorded->code, index);
}

/* Where Python's own streams are written to, no Python runs, and no handler of signals. */
static bool is_in_c(PyObject *out)
{
    return strcmp(Py_TYPE(out)->tp_name, "_io.TextIOWrapper") == 0;
}

static bool print(PyObject *out, PyObject *text)
{
    PyObject *result =
        text == NULL ? Py_NewRef(Py_None) : PyObject_CallMethodOneArg(out, write_name, text);
    Py_XDECREF(result);
    return result != NULL;
}

/* Through sys.stdout, so that they are in order with what the program prints. */
static void print_both(PyObject *call, PyObject *text)
{
    PyObject *out = PySys_GetObject("stdout"); /* borrowed */
    if (out == NULL || out == Py_None)
        return;
    Py_INCREF(out);
    sp_callout callout;
    bool in_c = is_in_c(out);
    (in_c ? sp_callout_begin_often : sp_callout_begin)(&callout);
    if (!print(out, call) || !print(out, text)) {
        sp_line_listing = false;
        if (!PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
            Py_XSETREF(failure, sp_exception_object());
    }
    (in_c ? sp_callout_end_often : sp_callout_end)(&callout);
    Py_DECREF(out);
}

SP_NOINLINE void sp_line_list(const void *frame, PyCodeObject *code, int line)
{
    PyObject *call = NULL;
    if (sp_here.unrecorded != 0)
        return;
    sp_shared_take();
    PyObject *text = texts_of(frame, code, line, &call);
    sp_shared_release();
    if (text != NULL)
        print_both(call, text);
    Py_XDECREF(call);
    Py_XDECREF(text);
}

void sp_line_listing_add(PyCodeObject *code, PyObject *texts)
{
    sp_line_code *entry = sp_line_code_make(code);
    if (write_name == NULL)
        write_name = PyUnicode_InternFromString("write");
    if (entry != NULL && write_name != NULL && failure == NULL) {
        Py_XSETREF(entry->texts, Py_NewRef(texts));
        sp_line_listing = true;
    }
}

PyObject *sp_line_listing_end(void)
{
    PyObject *ended_by = failure == NULL ? Py_NewRef(Py_None) : failure;
    sp_line_listing = false;
    failure = NULL;
    return ended_by;
}
