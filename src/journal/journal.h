/* The journal of a run: the blocks of its logs lie in a mapped file, with what they name, so that they are
 * there when the process was killed. What goes wrong with the file ends the journal, and the run goes on in
 * memory.
 *
 * The file begins with the first call. After finalize() has written the run's results it is not needed: it
 * goes, and the next call begins another (a part), with the calls from there on. */
#ifndef SP_JOURNAL_H
#define SP_JOURNAL_H

#include "record/manager.h"

/* The journal that the run of a manager writes from now on, before it has recorded anything; -1 when
 * memory is out. path: of the file, in the encoding of the file system; when there is one, "-2" and so on
 * comes before its suffix. facts: plain values about the run. is_temporary: see sp_journal_end(). */
SP_MUST_USE int sp_journal_begin(sp_manager *manager, const char *path, PyObject *facts,
                                 bool is_temporary);
/* Whether the manager's run has one. The rest does nothing without. */
bool sp_journal_is_on(const sp_manager *manager);
/* Write a note, JSON, which comes before the records of calls that are made from now on; and in the parts
 * to come. Under shared. */
void sp_journal_note(sp_manager *manager, const char *note, size_t size);
/* Write the state of the run, JSON, in the place of the one before. Under shared. */
void sp_journal_state(sp_manager *manager, const char *state, size_t size);
/* What is recorded from now on goes to another file; remove those before. The former under stop. */
void sp_journal_cut(sp_manager *manager);
void sp_journal_remove(sp_manager *manager);
/* The program ends by itself, or the manager goes, with calls that are in no other file: one that is
 * temporary is removed, unless it is to be kept. Nothing is written to it any more; what is recorded
 * afterwards is in memory. Under stop. */
void sp_journal_end(sp_manager *manager, bool kept);
/* The path of the file, or of one that is over and has not been removed; NULL for none. And why nothing
 * is written there any more: what errno said, or 0. */
const char *sp_journal_path(const sp_manager *manager);
int sp_journal_error(const sp_manager *manager);

#endif
