/* Profiling by code, as LineProfiler has it: a region whose code counts whoever calls it, in the threads
 * in which profiling is switched on. A frame that runs already counts from its next line on.
 *
 * Unlike a region that is open, one that is switched on is so for the whole thread, for all its
 * greenlets and whatever returns or is suspended. While no thread has it on, its code has no events, and
 * on 3.11 the evaluation hook is out. On 3.12 and newer, where setting an event costs as much as some
 * tens of them, code keeps them until a thousand have been of no use (line_codes.c). */
#ifndef SP_LINE_SWITCH_H
#define SP_LINE_SWITCH_H

#include "lines/line_threads.h"
#include "record/region.h"

/* The region is of this kind from now on; -1 with an exception set. Nobody has opened it yet. */
SP_MUST_USE int sp_line_switch_make(struct sp_region *region);

/* All of these are of this thread, and shared between threads (thread_guard.h).
 *
 * On, until it is switched off. Off, even where calls have it on. */
void sp_line_switch_on(struct sp_region *region);
void sp_line_switch_off(struct sp_region *region);
/* On, until this is taken back as often as it was asked for. Of a call that is decorated, as its
 * caller's lines cannot run meanwhile, nobody looks for frames that run already. */
void sp_line_switch_up(struct sp_region *region, bool of_call);
void sp_line_switch_down(struct sp_region *region);
/* How often the latter was asked for and not taken back. */
uint32_t sp_line_switch_count(const struct sp_region *region);

/* A frame begins or goes on, of code that counted in this thread before for the only region that may want
 * it: then it is recorded; else NULL, and sp_line_frame_begins() is to be asked. */
SP_INLINE sp_line_frame *sp_line_frame_begins_for(sp_line_thread *here, const void *frame,
                                                  const PyCodeObject *code,
                                                  const sp_region *region)
{
    sp_line_table *table = sp_line_table_recall(here, code, region);
    if (SP_UNLIKELY(table == NULL || !sp_region_counts_lines(region)
                    || sp_unrecorded_for(region->manager)))
        return NULL;
    sp_line_code *entry = table->code;
    const sp_line_frame *top = here->stack.top;
    if (SP_UNLIKELY(!(entry->lines_on || entry->lines_stay_on) || top->frame == NULL
                    || top->frame == frame))
        return NULL;
    entry->unrecorded_lines = 0;
    sp_line_frame *recorded = sp_line_push(here, frame, entry);
    if (SP_LIKELY(recorded != NULL))
        sp_line_add(recorded, table, SP_LINE_WATCHED);
    return recorded;
}

/* The region is the only one that is switched on. */
SP_INLINE sp_line_frame *sp_line_frame_begins_again(sp_line_thread *here, const void *frame,
                                                    const PyCodeObject *code)
{
    if (here->on_count != 1 || here->switched_count != 1 || here->stack.open_count != 0
        || sp_line_always_watched != 0 || sp_line_suspended_count != 0)
        return NULL;
    return sp_line_frame_begins_for(here, frame, code, here->switched[0].region);
}

/* The region is the only one that watches the code, and does so always. */
SP_INLINE sp_line_frame *sp_line_frame_begins_watched(sp_line_thread *here, const void *frame,
                                                      const sp_line_code *entry)
{
    const sp_line_watch *watch = entry->watches;
    if (watch == NULL || watch->next_of_code != NULL || !watch->always || sp_line_watches(here)
        || sp_line_suspended_count != 0)
        return NULL;
    return sp_line_frame_begins_for(here, frame, entry->code, watch->region);
}

/* An event of a frame that is not recorded: it is from now on, when its code is that of a region that is
 * on. Returns the recorded frame, or NULL when it is none. */
sp_line_frame *sp_line_frame_runs(const void *frame, PyCodeObject *code);

#endif
