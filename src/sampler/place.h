/* Where a thread is in its run: the node of its innermost open region, and its task. */
#ifndef SP_PLACE_H
#define SP_PLACE_H

#include "record/manager.h"

typedef struct {
    const sp_thread *record; /* NULL when the thread records nothing in the run */
    const sp_node *node; /* or NULL. Not to be trusted: the thread may have been entering it. */
    uint32_t task;       /* with track_async; or 0 */
} sp_place;

/* This thread's, in a signal handler. */
sp_place sp_place_own(uint64_t run, const PyThreadState *state);
/* That of a thread that is detached, with this record. */
sp_place sp_place_of(const sp_thread *record, const PyThreadState *state);
/* The record of the thread with that number of the system's, among those of the manager's run; or NULL. */
const sp_thread *sp_place_record(const sp_manager *manager, uint64_t native);
/* Whether the node is one of the record's tree and of a region. */
bool sp_place_is_node(const sp_thread *record, const sp_node *node);
/* The names of the regions down to the node, as a tuple; NULL with an exception set. With the GIL, or while
 * threads are stopped. */
PyObject *sp_place_path(const sp_node *node);

#endif
