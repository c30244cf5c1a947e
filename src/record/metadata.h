/* Metadata of calls: dicts that are in force in a context (a thread, a task), not in an interval
 * of time. A context variable holds the scope in force; a call notes its number when it begins,
 * and the log writes the number when it changes. So a call costs one look at the variable,
 * whatever the number of scopes, and one without metadata nothing. */
#ifndef SP_METADATA_H
#define SP_METADATA_H

#include "record/region.h"

/* The metadata in force here, noted in the current run. Never fails: what cannot be noted is
 * counted. */
sp_annotation sp_metadata_now(sp_manager *manager);

SP_INLINE sp_annotation sp_metadata_for(const sp_region *region)
{
    return SP_UNLIKELY(region->annotated) ? sp_metadata_now(region->manager) : (sp_annotation){0};
}

/* A scope for one call of a function decorated with metadata: a dict, or a callable that gets the
 * call's arguments and gives one. NULL when it gives none, which is counted. -1 with an exception
 * that is the program's: KeyboardInterrupt, SystemExit, what else is no Exception. */
SP_MUST_USE int sp_metadata_of_call(sp_manager *manager, PyObject *metadata, PyObject *const *args,
                                    size_t nargsf, PyObject *names, PyObject **scope);
/* Put a scope in force, and take it back; neither touches an exception that is on its way. */
void sp_metadata_push(PyObject *scope);
void sp_metadata_pop(PyObject *scope);

/* The metadata of a call, and how it ended: with the exception that is on its way, or well. What is
 * of another run comes back as it is. */
sp_annotation sp_metadata_outcome(sp_manager *manager, sp_annotation annotation, bool failed);
/* The same for the open call of this thread with this key. */
void sp_metadata_note_outcome(sp_region *region, const void *key, bool failed);

/* A run has begun: what was entered without one, in this context, is in force in it. */
void sp_metadata_begin(sp_manager *manager);

/* What the run noted, when it is the manager's no longer; and to be freed. */
typedef struct {
    PyObject *annotations, *outcomes, *error; /* Owned. */
} sp_metadata_left;
sp_metadata_left sp_metadata_leave(sp_manager *manager);
void sp_metadata_release(sp_metadata_left *left);

/* A scope with the keyword arguments as values, which enters the region (or none) with it; `what`
 * is called by the user. */
PyObject *sp_metadata_scope(sp_manager *manager, const char *what, sp_region *region,
                            PyObject *const *args, Py_ssize_t nargs, PyObject *names);

/* Methods of the manager. */
PyObject *sp_metadata_make(PyObject *manager, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *names);
extern const char sp_metadata_make_doc[];
PyObject *sp_metadata_of_call_py(PyObject *manager, PyObject *args);
extern const char sp_metadata_of_call_doc[];
PyObject *sp_metadata_annotations(PyObject *manager, PyObject *unused);
extern const char sp_metadata_annotations_doc[];
PyObject *sp_factory_new(PyObject *manager, PyObject *region);
extern const char sp_factory_new_doc[];

#endif
