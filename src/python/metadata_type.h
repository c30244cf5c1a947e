/* The Python type of metadata scopes, which ProfileManager.metadata() gives, and how one is made. */
#ifndef SP_METADATA_TYPE_H
#define SP_METADATA_TYPE_H

#include "python/state.h"
#include "record/metadata.h"

/* A scope for one call of a function decorated with metadata: a dict, or a callable that gets the
 * call's arguments and gives one. NULL when it gives none, which is counted. -1 with an exception
 * that is the program's: KeyboardInterrupt, SystemExit, what else is no Exception. */
SP_MUST_USE int sp_metadata_of_call(sp_manager *manager, PyObject *metadata, PyObject *const *args,
                                    size_t nargsf, PyObject *names, PyObject **scope);
/* A scope with the keyword arguments as values, which enters the region (or none) with it; `what`
 * is called by the user. */
PyObject *sp_metadata_new(sp_manager *manager, const char *what, sp_region *region,
                            PyObject *const *args, Py_ssize_t nargs, PyObject *names);

/* Methods of the manager. */
PyObject *sp_metadata_make(PyObject *manager, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *names);
extern const char sp_metadata_make_doc[];
PyObject *sp_metadata_of_call_py(PyObject *manager, PyObject *args);
extern const char sp_metadata_of_call_doc[];
PyObject *sp_metadata_annotations(PyObject *manager, PyObject *args);
extern const char sp_metadata_annotations_doc[];

#endif
