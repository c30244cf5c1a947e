/* Profiling by code, as LineProfiler has it: a region whose code counts whoever calls it, in the threads
 * in which profiling is switched on. A frame that runs already counts from its next line on.
 *
 * Unlike a region that is open, one that is switched on is so for the whole thread, for all its
 * greenlets and whatever returns or is suspended. While no thread has it on, its code has no events, and
 * on 3.11 the evaluation hook is out. On 3.12 and newer, where setting an event costs as much as some
 * tens of them, code keeps them until a thousand have been of no use (line_codes.c). */
#ifndef SP_LINE_SWITCH_H
#define SP_LINE_SWITCH_H

#include "lines/line_again.h"
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

/* The same where one region is switched on. */
SP_INLINE sp_line_frame *sp_line_frame_begins_again(sp_line_thread *here, const void *frame,
                                                    const PyCodeObject *code)
{
    if (here->on_count != 1 || here->switched_count != 1 || here->stack.open_count != 0
        || sp_line_always_watched != 0 || sp_line_suspended_count != 0)
        return NULL;
    return sp_line_frame_begins_for(here, frame, code, here->switched[0].region);
}

/* An event of a frame that is not recorded: it is from now on, when its code is that of a region that is
 * on. Returns the recorded frame, or NULL when it is none. */
sp_line_frame *sp_line_frame_runs(const void *frame, PyCodeObject *code);

#endif
