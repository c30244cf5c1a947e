#include "lines/line_suspended.h"

#include "base/heap.h"
#include "base/slots.h"
#include "lines/line_rests.h"
#include "record/counters.h"

uint32_t sp_line_suspended_count;
static sp_slots all; /* frame -> sp_line_frame. Owned. */

static sp_line_frame *take(const void *frame)
{
    sp_line_frame *suspended = sp_slots_pop(&all, frame, NULL);
    sp_line_suspended_count = all.count;
    return suspended;
}

/* False when memory is out. */
static bool keep(sp_line_frame frame)
{
    sp_line_frame *suspended = sp_malloc(sizeof *suspended);
    if (suspended == NULL)
        return false;
    *suspended = frame;
    sp_line_frame *dead = take(frame.frame); /* it was at this address, and never went on */
    if (dead != NULL)
        sp_line_frame_free(dead);
    sp_free(dead);
    if (sp_slots_add(&all, frame.frame, NULL, suspended) < 0) {
        sp_free(suspended);
        return false;
    }
    sp_line_suspended_count = all.count;
    return true;
}

/* Whether the top frame counts for one region, which watches it, and nothing else is to be kept of it. */
static bool is_only_watched(const sp_line_thread *here)
{
    const sp_line_frame *top = here->stack.top;
    return top->plain && top->reason_count == 1 && top->reasons[0].why == SP_LINE_WATCHED
           && here->stack.open_count == 0;
}

void sp_line_frame_yields(sp_line_thread *here, uint64_t now)
{
    if (SP_LIKELY(!here->stack.top->code->suspends)) { /* its call is over */
        sp_line_stop(here->stack.top, now);
        sp_line_pop(here, now);
        return;
    }
    if (SP_LIKELY(is_only_watched(here))) {
        sp_line_rest_begin(here->stack.top, now);
        sp_line_stop(here->stack.top, now);
        sp_line_pop(here, now);
        return;
    }
    sp_line_frame frame = sp_line_suspend(here, now);
    bool in_block = frame.reason_count != 0; /* what watches it decides anew when it goes on */
    if (in_block && keep(frame))
        return;
    if (in_block)
        sp_lose_line();
    sp_line_frame_free(&frame);
}

sp_line_frame *sp_line_frame_resumes(sp_line_thread *here, const void *frame, uint64_t now)
{
    sp_line_frame *suspended = take(frame);
    bool resumed = suspended != NULL && sp_line_resume(here, suspended, now);
    sp_free(suspended);
    return resumed ? here->stack.top : NULL;
}
