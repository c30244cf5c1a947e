#include "lines/line_rests.h"

#include "record/counters.h"

/* (frame, code) -> when it was suspended, plus 1. What never goes on is replaced by the next generator of
 * the same code at the same address. */
static sp_map all;
static size_t count;

static void *value_of(uint64_t now) { return (void *)(uintptr_t)(now + 1); }

void sp_line_rest_begin(const void *frame, const sp_line_code *code, uint64_t now)
{
    count -= sp_map_pop(&all, frame, code) != NULL;
    if (sp_map_add(&all, frame, code, value_of(now)) == 0)
        count++;
    else
        sp_lose_line();
}

uint64_t sp_line_rest_end(const void *frame, const sp_line_code *code, uint64_t now)
{
    const void *begun = count == 0 ? NULL : sp_map_pop(&all, frame, code);
    count -= begun != NULL;
    return begun == NULL ? 0 : (uintptr_t)value_of(now) - (uintptr_t)begun;
}
