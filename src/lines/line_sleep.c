#include "lines/line_sleep.h"

#include "record/counters.h"

uint32_t sp_line_asleep;
static sp_map all; /* frame -> sp_line_frame, of sleeping generators. Owned. */

static sp_line_frame *pop_asleep(const void *frame)
{
    if (sp_line_asleep == 0)
        return NULL;
    sp_line_frame *asleep = sp_map_pop(&all, frame, NULL);
    sp_line_asleep -= asleep != NULL;
    return asleep;
}

/* A new frame at an address where another fell asleep and never woke. */
static void forget_asleep(const void *frame)
{
    sp_line_frame *asleep = pop_asleep(frame);
    if (asleep != NULL) {
        sp_line_drop(asleep);
        PyMem_RawFree(asleep);
    }
}

/* False when memory is out. */
static bool lay_asleep(sp_line_frame lifted)
{
    sp_line_frame *asleep = PyMem_RawMalloc(sizeof *asleep);
    if (asleep == NULL)
        return false;
    *asleep = lifted;
    forget_asleep(lifted.frame);
    int added = sp_map_add(&all, lifted.frame, NULL, asleep);
    sp_line_asleep += added == 0;
    if (added < 0)
        PyMem_RawFree(asleep);
    return added == 0;
}

void sp_line_frame_yields(sp_line_thread *here, uint64_t now)
{
    if (here->top->blocks == NULL) { /* what watches it decides anew when it wakes */
        sp_line_stop(here->top, now);
        sp_line_pop(here);
        return;
    }
    sp_line_frame lifted = sp_line_lift(here, now);
    if (!lay_asleep(lifted)) {
        sp_line_drop(&lifted);
        sp_lose_line();
    }
}

sp_line_frame *sp_line_wake(sp_line_thread *here, const void *frame, uint64_t now)
{
    sp_line_frame *asleep = pop_asleep(frame);
    if (asleep == NULL)
        return NULL;
    bool awake = sp_line_put_back(here, asleep, now);
    PyMem_RawFree(asleep);
    return awake ? here->top : NULL;
}
