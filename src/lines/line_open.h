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

#endif
