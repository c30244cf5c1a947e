/* Which regions that watch code are open in each thread, in whatever way they were entered.
 * line_types.h has the types. */
#ifndef SP_LINE_OPEN_H
#define SP_LINE_OPEN_H

#include "lines/line_types.h"

/* The region, which watches code, is open in this thread once more, or once less: close tells
 * whether it was open at all. */
void sp_line_open(sp_line_thread *here, const struct sp_region *region);
bool sp_line_close(sp_line_thread *here, const struct sp_region *region);
/* The same of all that the frame has open. */
void sp_line_open_frame(sp_line_thread *here, sp_line_frame *recorded);
void sp_line_close_frame(sp_line_thread *here, sp_line_frame *recorded);
/* How often the frames on the stack have it open. */
uint32_t sp_line_open_count(const sp_line_thread *here, const struct sp_region *region);

/* A region dies: it is open in this stack no longer. */
void sp_line_close_all(sp_line_thread *here, const void *region);
/* A run of the manager begins: what was entered by hand and not left is open no longer; what frames have
 * open is. */
void sp_line_reopen(sp_line_thread *here, const void *manager);

/* ---- Regions that are switched on (line_switch.h) ---------------------------------------- */

struct sp_line_switch {
    uint32_t threads; /* in which the region is on */
    bool asleep;      /* some of its code has no events */
};

extern uint32_t sp_line_all_on; /* how many are on, in all threads together */

/* What the thread has switched of the region: NULL for nothing. */
sp_line_switched *sp_line_switched_find(const sp_line_thread *here, const void *region);
/* NULL when memory is out. */
sp_line_switched *sp_line_switched_add(sp_line_thread *here, struct sp_region *region);
/* It is on from now on, or no longer. Nothing is done about frames. */
void sp_line_switched_begin(sp_line_thread *here, sp_line_switched *switched);
void sp_line_switched_end(sp_line_thread *here, sp_line_switched *switched);
/* The region dies; the thread has ended. */
void sp_line_switched_forget(sp_line_thread *thread, const void *region);
void sp_line_switched_clear(sp_line_thread *thread);

#endif
