/* The recorded frames of generators that are suspended inside a block. They may go on in another
 * thread. Those of decorated generators are kept by their proxies (generator_proxy.c). */
#ifndef SP_LINE_SUSPENDED_H
#define SP_LINE_SUSPENDED_H

#include "lines/line_frames.h"

extern uint32_t sp_line_suspended_count;

/* The recorded frame, the top one, is at a yield. */
void sp_line_frame_yields(sp_line_thread *here, uint64_t now);
/* A suspended frame goes on; NULL when it was none. */
sp_line_frame *sp_line_frame_resumes(sp_line_thread *here, const void *frame, uint64_t now);

#endif
