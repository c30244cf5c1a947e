/* Taking results: the threads' trees merged and their logs gathered, ticks made nanoseconds.
 * Nothing is consumed: recording goes on, and the next snapshot has it all again and more; unless the run
 * is to start over. */
#ifndef SP_SNAPSHOT_H
#define SP_SNAPSHOT_H

#include "base/compat.h"

/* Methods of _core.Manager. */
PyObject *sp_snapshot_collect(PyObject *manager, PyObject *region);
PyObject *sp_snapshot_regions(PyObject *manager, PyObject *unused);
PyObject *sp_snapshot_events(PyObject *manager, PyObject *region);
PyObject *sp_snapshot_all(PyObject *manager, PyObject *args);
PyObject *sp_snapshot_counters(PyObject *manager, PyObject *unused);
PyObject *sp_snapshot_kept(PyObject *manager, PyObject *unused);
PyObject *sp_snapshot_state(PyObject *manager, PyObject *state);
extern const char sp_snapshot_state_doc[];
extern const char sp_snapshot_kept_doc[];
extern const char sp_snapshot_collect_doc[];
extern const char sp_snapshot_regions_doc[];
extern const char sp_snapshot_events_doc[];
extern const char sp_snapshot_all_doc[];
extern const char sp_snapshot_counters_doc[];

#endif
