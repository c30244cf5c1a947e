/* The metadata that a run has noted, by number, which calls and the log carry; and how calls ended. */
#ifndef SP_ANNOTATIONS_H
#define SP_ANNOTATIONS_H

#include "record/region.h"

/* Note an entry of the run's table: a dict, or (dict or None, name of an exception or None) for
 * how a call ended. Number 0 when memory is out. Under shared. */
sp_annotation sp_annotation_note(sp_manager *manager, PyObject *entry);
/* Something of ours failed on the way of a call: count it, keep the first message. */
void sp_annotation_failed(sp_manager *manager);

/* The metadata of a call, and how it ended: with the exception that is on its way, or well. What is
 * of another run comes back as it is. */
sp_annotation sp_annotation_outcome(sp_manager *manager, sp_annotation annotation, bool failed);
/* The same for the open call of this thread with this key. */
void sp_annotation_note_outcome(sp_region *region, const void *key, bool failed);

/* The entry of the number in the run, new, or NULL for 0: whoever keeps the number for longer than its call is
 * open keeps this, and the entry stays. Under shared. */
PyObject *sp_annotation_keep(const sp_manager *manager, uint32_t number);
/* What the run noted, when it is the manager's no longer; and to be freed. */
typedef struct {
    PyObject *annotations, *handed_out, *outcomes, *error; /* Owned. */
} sp_left_annotations;
/* A part of the run ends: what no scope, open call or suspended one uses is in `handed_out` alone. fresh: an
 * empty list, for the rest. Under stop. */
sp_left_annotations sp_annotations_start_over(sp_manager *manager, PyObject *fresh);
sp_left_annotations sp_annotations_leave(sp_manager *manager);
void sp_annotations_release(sp_left_annotations *left);

#endif
