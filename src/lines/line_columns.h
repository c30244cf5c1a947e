/* What is counted of lines besides hits and time, where it happens seldom or was asked for.
 * line_types.h has the types. */
#ifndef SP_LINE_COLUMNS_H
#define SP_LINE_COLUMNS_H

#include "lines/line_types.h"

/* The frame waited at its line for so many ticks: for all its reasons, or those of this kind alone. */
void sp_line_wait(sp_line_frame *recorded, uint64_t ticks);
void sp_line_wait_watched(sp_line_frame *recorded, int line, uint64_t ticks);

/* Forget what was counted. The cells are the caller's. */
void sp_line_columns_clear(sp_line_columns *columns);

#endif
