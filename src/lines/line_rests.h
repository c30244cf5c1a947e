/* Frames of generators and coroutines that are suspended and that a region watches. Whether they are
 * recorded is decided anew when they go on, so nothing but this is kept of them meanwhile. */
#ifndef SP_LINE_RESTS_H
#define SP_LINE_RESTS_H

#include "lines/line_types.h"

typedef struct {
    uint64_t waited; /* ticks */
    uint64_t so_far; /* that its line had taken before */
    int line;        /* where it waited, less the first of its code; -1: nothing is known of it */
} sp_line_rest;

void sp_line_rest_begin(const sp_line_frame *recorded, uint64_t now);
/* It goes on. */
sp_line_rest sp_line_rest_end(const void *frame, const sp_line_code *code, uint64_t now);
/* It is over, and will not rest again. */
void sp_line_rest_forget(const void *frame, const sp_line_code *code);

#endif
