#include "lines/line_open.h"

#include "record/counters.h"

/* ---- Open regions ------------------------------------------------------------------------ */

/* The opening of the region, the newest first; NULL when it is not open. */
static sp_line_opening *find_opening(sp_line_thread *here, const sp_region *region)
{
    for (uint32_t i = here->open_count; i-- > 0;) {
        if (here->open[i].region == region)
            return &here->open[i];
    }
    return NULL;
}

static bool more_openings(sp_line_thread *here)
{
    uint32_t capacity = here->open_capacity == 0 ? 8 : 2 * here->open_capacity;
    sp_line_opening *open = PyMem_RawRealloc(here->open, capacity * sizeof *open);
    if (open == NULL)
        return false;
    here->open = open;
    here->open_capacity = capacity;
    return true;
}

void sp_line_open(sp_line_thread *here, const sp_region *region)
{
    sp_line_opening *opening = find_opening(here, region);
    if (opening != NULL)
        opening->count++;
    else if (here->open_count < here->open_capacity || more_openings(here))
        here->open[here->open_count++] = (sp_line_opening){region, 1};
    else
        sp_lose_line();
}

static void remove_opening(sp_line_thread *here, sp_line_opening *opening)
{
    sp_line_opening *last = here->open + --here->open_count;
    memmove(opening, opening + 1, (size_t)(last - opening) * sizeof *opening);
}

bool sp_line_close(sp_line_thread *here, const sp_region *region)
{
    sp_line_opening *opening = find_opening(here, region);
    if (opening != NULL && --opening->count == 0)
        remove_opening(here, opening);
    return opening != NULL;
}

void sp_line_open_frame(sp_line_thread *here, const sp_line_frame *recorded)
{
    if (recorded->region != NULL && SP_UNLIKELY(recorded->region->watches != NULL))
        sp_line_open(here, recorded->region);
    for (const sp_line_block *block = recorded->blocks; block != NULL; block = block->outer) {
        if (block->was_open && block->region != NULL)
            sp_line_open(here, block->region);
    }
}

void sp_line_close_frame(sp_line_thread *here, sp_line_frame *recorded)
{
    if (recorded->region != NULL)
        sp_line_close(here, recorded->region);
    for (sp_line_block *block = recorded->blocks; block != NULL; block = block->outer)
        block->was_open = sp_line_close(here, block->region);
}

uint32_t sp_line_open_count(const sp_line_thread *here, const sp_region *region)
{
    uint32_t count = 0;
    for (const sp_line_frame *recorded = here->top; recorded > here->frames; recorded--) {
        count += recorded->region == region;
        for (const sp_line_block *block = recorded->blocks; block != NULL; block = block->outer)
            count += block->region == region;
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
    for (uint32_t i = here->open_count; i-- > 0;) {
        sp_line_opening *opening = &here->open[i];
        if (opening->region->manager != manager)
            continue;
        opening->count = sp_line_open_count(here, opening->region);
        if (opening->count == 0)
            remove_opening(here, opening);
    }
}

/* ---- Blocks ------------------------------------------------------------------------------ */

sp_line_block *sp_line_block_new(sp_region *region, sp_line_block *outer)
{
    sp_line_block *block = PyMem_RawMalloc(sizeof *block);
    if (block == NULL)
        return NULL;
    *block = (sp_line_block){.outer = outer, .region = region};
    block->next = region->blocks;
    block->link = &region->blocks;
    if (block->next != NULL)
        block->next->link = &block->next;
    region->blocks = block;
    return block;
}

static void unlink_block(sp_line_block *block)
{
    if (block->region == NULL)
        return;
    *block->link = block->next;
    if (block->next != NULL)
        block->next->link = block->link;
    block->region = NULL;
}

void sp_line_block_free(sp_line_block *block)
{
    unlink_block(block);
    PyMem_RawFree(block);
}

void sp_line_blocks_forget(sp_region *region)
{
    while (region->blocks != NULL)
        unlink_block(region->blocks);
}
