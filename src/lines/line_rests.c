#include "lines/line_rests.h"

#include "base/heap.h"
#include "base/slots.h"
#include "record/counters.h"

/* (frame, code) -> rest, in which `waited` is when it began, and `line` is -1 while the frame runs: most
 * rest many times. What never goes on is replaced by the next generator of the same code at the same
 * address. Owned. */
static sp_slots all;

static const sp_line_rest none = {.line = -1};

static sp_line_rest *find(const void *frame, const sp_line_code *code)
{
    return sp_slots_get(&all, frame, code);
}

/* NULL when memory is out. */
static sp_line_rest *make(const void *frame, const sp_line_code *code)
{
    sp_line_rest *rest = sp_malloc(sizeof *rest);
    if (rest == NULL || sp_slots_add(&all, frame, code, rest) < 0) {
        sp_free(rest);
        return NULL;
    }
    return rest;
}

void sp_line_rest_begin(const sp_line_frame *recorded, uint64_t now)
{
    sp_line_rest *rest = find(recorded->frame, recorded->code);
    if (rest == NULL)
        rest = make(recorded->frame, recorded->code);
    if (rest == NULL)
        sp_lose_line();
    else
        *rest = (sp_line_rest){.waited = now, .so_far = recorded->so_far, .line = recorded->line};
}

sp_line_rest sp_line_rest_end(const void *frame, const sp_line_code *code, uint64_t now)
{
    sp_line_rest *begun = find(frame, code);
    if (begun == NULL || begun->line < 0)
        return none;
    sp_line_rest rest = *begun;
    rest.waited = now - begun->waited;
    begun->line = -1;
    return rest;
}

void sp_line_rest_forget(const void *frame, const sp_line_code *code)
{
    sp_free(sp_slots_pop(&all, frame, code));
}
