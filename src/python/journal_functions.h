/* What Python asks of the journal of a manager's run: methods of the manager. */
#ifndef SP_JOURNAL_FUNCTIONS_H
#define SP_JOURNAL_FUNCTIONS_H

#include "base/compat.h"

extern const char sp_journal_note_doc[], sp_journal_cut_doc[], sp_journal_remove_doc[],
    sp_journal_end_doc[], sp_journal_status_doc[];
PyObject *sp_journal_note_py(PyObject *self, PyObject *note);
PyObject *sp_journal_cut_py(PyObject *self, PyObject *unused);
PyObject *sp_journal_remove_py(PyObject *self, PyObject *unused);
PyObject *sp_journal_end_py(PyObject *self, PyObject *kept);
PyObject *sp_journal_status_py(PyObject *self, PyObject *unused);

#endif
