/* What lines take of memory, where the run measures that. line_types.h has the types. */
#ifndef SP_LINE_MEMORY_H
#define SP_LINE_MEMORY_H

#include "lines/line_types.h"

/* Room for what so many lines take; false when memory is out. */
SP_MUST_USE bool sp_line_memory_make(sp_line_columns *columns, int lines);

/* The line of a frame that measures is over, or left for now, and another one begins, or with -1 none. */
void sp_line_measure(sp_line_frame *recorded, int line);
/* The frame goes on at its line, if any. */
void sp_line_measure_again(sp_line_frame *recorded);
/* The frame is not recorded any longer. */
void sp_line_measure_nothing(sp_line_frame *recorded);

#endif
