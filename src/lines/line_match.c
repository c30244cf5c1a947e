#include "lines/line_match.h"

SP_NOINLINE sp_line_frame *sp_line_match_slow(const void *frame, PyCodeObject *code, uint64_t now)
{
    if (!sp_lines_open())
        return NULL;
    sp_line_thread *here = sp_line_thread_here();
    if (here == NULL)
        return NULL;
    sp_line_frame *top = here->top;
    if (top != here->frames && top->frame == NULL && top->table->code->code == code) {
        top->frame = frame; /* the first event of a decorated call */
        return top;
    }
    sp_line_frame *below = sp_line_find(here, frame, code);
    if (below != NULL)
        return below;
    /* A generator that throw() woke: there is no event for that on single code before 3.15. */
    sp_line_frame *woken = sp_line_wake(here, frame, now);
    if (woken == NULL || woken->table->code->code == code)
        return woken;
    sp_line_pop(here); /* it died asleep, and another has its address now */
    return NULL;
}

void sp_line_go_on(sp_line_frame *recorded, int line)
{
    recorded->cell = sp_line_cell(recorded->table, line);
    recorded->since = sp_now();
}
