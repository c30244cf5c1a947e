/* Since when the frames of generators and coroutines are suspended that a region watches. Whether they
 * are recorded is decided anew when they go on, so nothing else is kept of them meanwhile. */
#ifndef SP_LINE_RESTS_H
#define SP_LINE_RESTS_H

#include "lines/line_types.h"

void sp_line_rest_begin(const void *frame, const sp_line_code *code, uint64_t now);
/* It goes on: the ticks that it rested; 0 when that is not known. */
uint64_t sp_line_rest_end(const void *frame, const sp_line_code *code, uint64_t now);

#endif
