/* The recorded frames of generators that sleep inside a block. They may wake in another thread. */
#ifndef SP_LINE_SLEEP_H
#define SP_LINE_SLEEP_H

#include "lines/line_frames.h"

extern uint32_t sp_line_asleep; /* how many */

/* The recorded frame, the top one, is at a yield. */
void sp_line_frame_yields(sp_line_thread *here, uint64_t now);
/* A sleeping frame wakes up; NULL when it was not asleep. */
sp_line_frame *sp_line_wake(sp_line_thread *here, const void *frame, uint64_t now);

#endif
