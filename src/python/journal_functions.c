#include "python/journal_functions.h"

#include "base/thread_guard.h"
#include "journal/journal.h"
#include "journal/json_text.h"

const char sp_journal_note_doc[] =
    "_journal_note(note)\n--\n\n"
    "Write a note, a plain value, before what is recorded from now on. Nothing without a journal.";

PyObject *sp_journal_note_py(PyObject *self, PyObject *note)
{
    sp_json_text text = {0};
    sp_shared_take();
    if (sp_journal_is_on((sp_manager *)self)) {
        sp_json_put_value(&text, note);
        if (!text.failed)
            sp_journal_note((sp_manager *)self, text.at, text.size);
    }
    sp_shared_release();
    sp_json_free(&text);
    Py_RETURN_NONE;
}

const char sp_journal_cut_doc[] =
    "_journal_cut()\n--\n\nWhat is recorded from now on goes to another file.";

PyObject *sp_journal_cut_py(PyObject *self, PyObject *unused)
{
    (void)unused;
    sp_stop_threads();
    sp_journal_cut((sp_manager *)self);
    sp_resume_threads();
    Py_RETURN_NONE;
}

const char sp_journal_remove_doc[] =
    "_journal_remove()\n--\n\n"
    "What was recorded until _journal_cut() is elsewhere, or not wanted: remove the files.";

PyObject *sp_journal_remove_py(PyObject *self, PyObject *unused)
{
    (void)unused;
    sp_journal_remove((sp_manager *)self);
    Py_RETURN_NONE;
}

const char sp_journal_end_doc[] =
    "_journal_end(kept)\n--\n\n"
    "The program ends: nothing is written any more. A journal that is temporary is removed, unless it is\n"
    "kept.";

PyObject *sp_journal_end_py(PyObject *self, PyObject *kept)
{
    sp_stop_threads();
    sp_journal_end((sp_manager *)self, kept == Py_True);
    sp_resume_threads();
    Py_RETURN_NONE;
}

const char sp_journal_status_doc[] =
    "_journal()\n--\n\n"
    "(path of the journal as bytes, or None where there is no file; errno of what ended it, or 0), or None\n"
    "when the run has none.";

PyObject *sp_journal_status_py(PyObject *self, PyObject *unused)
{
    const sp_manager *manager = (sp_manager *)self;
    (void)unused;
    if (!sp_journal_is_on(manager))
        Py_RETURN_NONE;
    return Py_BuildValue("(yi)", sp_journal_path(manager), sp_journal_error(manager));
}
