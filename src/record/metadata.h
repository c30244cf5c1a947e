/* Metadata of calls: dicts that are in force in a context (a thread, a task), not in an interval
 * of time. A context variable holds the scope in force; a call notes its number when it begins,
 * and the log writes the number when it changes. So a call costs one look at the variable,
 * whatever the number of scopes, and one without metadata nothing. */
#ifndef SP_METADATA_H
#define SP_METADATA_H

#include "record/region.h"

typedef struct sp_metadata_scope {
    PyObject_HEAD
    sp_manager *manager; /* Owned. */
    PyObject *values;    /* dict; with what was in force around it, once it is in force. Owned. */
    PyObject *outer;     /* the scope that was in force when it was entered, or NULL. Owned. */
    sp_region *region;   /* entered with it, or NULL. Owned. */
    sp_annotation noted; /* the last time */
    bool merged, open;
    PyObject *context; /* in which it waits for a run, or NULL. Owned. */
    struct sp_metadata_scope *next, **link; /* in the manager's list of those that wait */
} sp_metadata_scope;

/* The metadata in force here, noted in the current run. Never fails: what cannot be noted is
 * counted. */
sp_annotation sp_metadata_now(sp_manager *manager);

/* The values in force here, a new dict; NULL with an exception set. */
PyObject *sp_metadata_values(sp_manager *manager);

SP_INLINE sp_annotation sp_metadata_for(const sp_region *region)
{
    return SP_UNLIKELY(region->extras & SP_METADATA_TOO) ? sp_metadata_now(region->manager)
                                                         : SP_NO_ANNOTATION;
}

/* -1 with an exception set. Scopes may be left in any order, by generators that take turns, and in
 * another context than they were entered in, where a generator is closed from elsewhere. */
SP_MUST_USE int sp_metadata_enter(sp_metadata_scope *scope);
void sp_metadata_leave(sp_metadata_scope *scope);
/* The same on the way of a call: put a scope in force, and take it back. Neither touches an exception
 * that is on its way. */
void sp_metadata_push(PyObject *scope);
void sp_metadata_pop(PyObject *scope);

/* A run has begun: what was entered without one, in this context, is in force in it. */
void sp_metadata_begin(sp_manager *manager);
/* A scope that waits for a run dies, or is left. */
void sp_metadata_wait_no_more(sp_metadata_scope *scope);

int sp_metadata_init(void);

#endif
