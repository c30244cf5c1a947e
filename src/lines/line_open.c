#include "lines/line_open.h"

#include "base/heap.h"
#include "lines/line_backend.h"
#include "record/counters.h"

/* The opening of the region, the newest first; NULL when it is not open. */
static sp_line_opening *find_opening(sp_line_thread *here, const sp_region *region)
{
    for (uint32_t i = here->stack.open_count; i-- > 0;) {
        if (here->stack.open[i].region == region)
            return &here->stack.open[i];
    }
    return NULL;
}

static bool more_openings(sp_line_thread *here)
{
    uint32_t capacity = here->stack.open_capacity == 0 ? 8 : 2 * here->stack.open_capacity;
    sp_line_opening *open = sp_realloc(here->stack.open, capacity * sizeof *open);
    if (open == NULL)
        return false;
    here->stack.open = open;
    here->stack.open_capacity = capacity;
    return true;
}

void sp_line_open(sp_line_thread *here, const sp_region *region)
{
    sp_line_opening *opening = find_opening(here, region);
    if (opening != NULL)
        opening->count++;
    else if (here->stack.open_count < here->stack.open_capacity || more_openings(here))
        here->stack.open[here->stack.open_count++] = (sp_line_opening){region, 1};
    else
        sp_lose_line();
}

static void remove_opening(sp_line_thread *here, sp_line_opening *opening)
{
    sp_line_opening *last = here->stack.open + --here->stack.open_count;
    memmove(opening, opening + 1, (size_t)(last - opening) * sizeof *opening);
}

bool sp_line_close(sp_line_thread *here, const sp_region *region)
{
    sp_line_opening *opening = find_opening(here, region);
    if (opening != NULL && --opening->count == 0)
        remove_opening(here, opening);
    return opening != NULL;
}

void sp_line_open_frame(sp_line_thread *here, sp_line_frame *recorded)
{
    if (recorded->region != NULL && SP_UNLIKELY(recorded->region->watches != NULL))
        sp_line_open(here, recorded->region);
    for (uint32_t i = 0; i < recorded->reason_count; i++) {
        const sp_line_reason *reason = sp_line_reason_at(recorded, i);
        if (reason->was_open && reason->table->region != NULL)
            sp_line_open(here, reason->table->region);
    }
}

void sp_line_close_frame(sp_line_thread *here, sp_line_frame *recorded)
{
    if (recorded->region != NULL)
        sp_line_close(here, recorded->region);
    for (uint32_t i = recorded->reason_count; i-- > 0;) {
        sp_line_reason *reason = sp_line_reason_at(recorded, i);
        if (reason->why == SP_LINE_BLOCK)
            reason->was_open = sp_line_close(here, reason->table->region);
    }
}

uint32_t sp_line_open_count(const sp_line_thread *here, const sp_region *region)
{
    uint32_t count = 0;
    for (sp_line_frame *recorded = here->stack.top; recorded > here->stack.frames; recorded--) {
        count += recorded->region == region;
        for (uint32_t i = 0; i < recorded->reason_count; i++) {
            const sp_line_reason *reason = sp_line_reason_at(recorded, i);
            count += reason->why == SP_LINE_BLOCK && reason->table->region == region;
        }
    }
    return count;
}

void sp_line_close_all(sp_line_thread *here, const void *region)
{
    sp_line_opening *opening = find_opening(here, region);
    if (opening != NULL)
        remove_opening(here, opening);
}

void sp_line_reopen(sp_line_thread *here, const void *manager)
{
    for (uint32_t i = here->stack.open_count; i-- > 0;) {
        sp_line_opening *opening = &here->stack.open[i];
        if (opening->region->manager != manager)
            continue;
        opening->count = sp_line_open_count(here, opening->region);
        if (opening->count == 0)
            remove_opening(here, opening);
    }
}

/* ---- Regions that are switched on -------------------------------------------------------- */

sp_line_switched *sp_line_switched_find(const sp_line_thread *here, const void *region)
{
    for (uint32_t i = here->switched_count; i-- > 0;) {
        if (here->switched[i].region == region)
            return &here->switched[i];
    }
    return NULL;
}

sp_line_switched *sp_line_switched_add(sp_line_thread *here, sp_region *region)
{
    if (here->switched_count == here->switched_capacity) {
        uint32_t capacity = here->switched_capacity + 4;
        sp_line_switched *all = sp_realloc(here->switched, capacity * sizeof *all);
        if (all == NULL)
            return NULL;
        here->switched = all;
        here->switched_capacity = capacity;
    }
    sp_line_switched *switched = &here->switched[here->switched_count++];
    *switched = (sp_line_switched){.region = region};
    return switched;
}

uint32_t sp_line_all_on;

void sp_line_switched_begin(sp_line_thread *here, sp_line_switched *switched)
{
    switched->on = true;
    here->on_count++;
    switched->region->line_switch->threads++;
    if (sp_line_all_on++ == 0)
        sp_line_any_on(true);
}

void sp_line_switched_end(sp_line_thread *here, sp_line_switched *switched)
{
    switched->on = false;
    here->on_count--;
    switched->region->line_switch->threads--;
    if (--sp_line_all_on == 0)
        sp_line_any_on(false);
}

void sp_line_switched_forget(sp_line_thread *thread, const void *region)
{
    sp_line_switched *switched = sp_line_switched_find(thread, region);
    if (switched == NULL)
        return;
    if (switched->on)
        sp_line_switched_end(thread, switched);
    *switched = thread->switched[--thread->switched_count];
}

void sp_line_switched_clear(sp_line_thread *thread)
{
    while (thread->switched_count != 0)
        sp_line_switched_forget(thread, thread->switched[0].region);
}
