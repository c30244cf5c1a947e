/* Tracings begin and end, in the process and in sections of a thread. */
#ifndef SP_TRACINGS_H
#define SP_TRACINGS_H

#include "calls/call_decisions.h"

/* Whether calls under the region trace what they call: the region's own word, else the manager's. */
SP_INLINE bool sp_section_wanted(const sp_region *region)
{
    return region->recursive + region->manager->recursive > 0;
}

/* A traced section of this thread begins; 0 when there is none: the thread is in one of the manager's
 * already, or the manager traces nothing. end takes what begin gave, unless it was 0. */
uint64_t sp_section_begin(sp_manager *manager);
void sp_section_end(uint64_t section);

/* ---- Begin and end ---- */

/* The manager's calls are traced from now on, or everything is decided anew; see trace_calls(). False
 * when memory is out. Under shared, as all of these. decide_c: NULL for no C functions; plain: NULL
 * where decide is always to be asked. */
SP_MUST_USE bool sp_tracing_begin(sp_manager *manager, PyObject *decide, PyObject *decide_c,
                                  PyObject *plain, bool everywhere, uint32_t max_depth,
                                  sp_throttle_bound throttle);
/* Note from now on which functions call which; none is throttled then. */
void sp_tracing_note_pairs(const sp_manager *manager);
/* [(caller, called), ...], the names of their regions; NULL with an exception set. */
PyObject *sp_tracing_pairs(const sp_manager *manager);
/* They are no longer. Calls that are open, in whatever thread, end now. The manager may be gone. */
void sp_tracing_end(const sp_manager *manager);
/* It is decided anew about the code. */
void sp_tracing_decide_anew(const sp_manager *manager, const PyCodeObject *code);

/* Mark the regions that the manager's tracing names: the manager does not forget them. A reference
 * would keep the manager, whose end is the end of its tracing. */
void sp_tracing_keep_regions(const sp_manager *manager);

#endif
