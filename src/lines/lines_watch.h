/* Watched code: its frames are recorded while a region that watches it is open in their thread, or
 * always, whoever calls them. It is decided when a frame begins, and anew whenever it is resumed. */
#ifndef SP_LINES_WATCH_H
#define SP_LINES_WATCH_H

#include "lines/line_codes.h"

/* From now on the lines of the code count for the region, see line_codes.h; -1 with an exception. */
SP_MUST_USE int sp_lines_watch(struct sp_region *region, PyCodeObject *code, sp_line_when when);

/* A frame begins (fresh), or goes on after a yield: when regions are open that watch its code, its
 * lines count for them. Returns the recorded frame, or NULL when it is none. */
sp_line_frame *sp_line_frame_begins(const void *frame, PyCodeObject *code, bool fresh);
/* This frame, whose code may be watched, is over. */
void sp_line_frame_ends(const void *frame, PyCodeObject *code, uint64_t now);
#endif
