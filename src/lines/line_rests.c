#include "lines/line_rests.h"

#include "base/heap.h"
#include "record/counters.h"

/* (frame, code) -> rest, in which `waited` is when it began. What never goes on is replaced by the next
 * generator of the same code at the same address. Owned. */
static sp_map all;
static size_t count;

void sp_line_rest_begin(const sp_line_frame *recorded, uint64_t now)
{
    sp_line_rest *rest = sp_map_pop(&all, recorded->frame, recorded->code);
    count -= rest != NULL;
    if (rest == NULL)
        rest = sp_malloc(sizeof *rest);
    if (rest == NULL || sp_map_add(&all, recorded->frame, recorded->code, rest) < 0) {
        sp_free(rest);
        sp_lose_line();
        return;
    }
    *rest = (sp_line_rest){.waited = now, .so_far = recorded->so_far};
    count++;
}

sp_line_rest sp_line_rest_end(const void *frame, const sp_line_code *code, uint64_t now)
{
    sp_line_rest *begun = count == 0 ? NULL : sp_map_pop(&all, frame, code);
    if (begun == NULL)
        return (sp_line_rest){0, 0};
    sp_line_rest rest = {.waited = now - begun->waited, .so_far = begun->so_far};
    sp_free(begun);
    count--;
    return rest;
}
