/* The stack of recorded frames that each thread has, or each of its greenlets. line_types.h has the types. */
#ifndef SP_LINE_FRAMES_H
#define SP_LINE_FRAMES_H

#include "lines/line_open.h"

/* A frame's tables may not be freed; each is counted once. */
SP_INLINE void sp_line_pin(const sp_line_frame *recorded, int change)
{
    if (recorded->own != NULL)
        recorded->own->pins += (uint32_t)change;
    if (recorded->call != recorded->own && recorded->call != NULL)
        recorded->call->pins += (uint32_t)change;
    if (recorded->table != recorded->call)
        recorded->table->pins += (uint32_t)change;
    recorded->table->code->frames += (uint32_t)change;
}

/* Room for one more frame; false when memory is out. */
bool sp_line_deepen(sp_line_thread *here);

/* Put a frame on the stack; false when memory is out. What it opens is open then. */
SP_MUST_USE SP_INLINE bool sp_line_push(sp_line_thread *here, const sp_line_frame *recorded)
{
    size_t depth = (size_t)(here->top - here->frames);
    if (SP_UNLIKELY(depth + 1 == here->frame_capacity) && !sp_line_deepen(here))
        return false;
    sp_line_frame *top = ++here->top;
    *top = *recorded;
    top->serial = ++here->last_serial;
    sp_line_pin(top, 1);
    if (SP_UNLIKELY(top->blocks != NULL)
        || (top->region != NULL && SP_UNLIKELY(top->region->watches != NULL)))
        sp_line_open_frame(here, top);
    return true;
}

/* The top frame is not recorded any longer. What it had open is closed. */
void sp_line_pop_slow(sp_line_thread *here);
SP_INLINE void sp_line_pop(sp_line_thread *here)
{
    sp_line_frame *top = here->top;
    if (SP_UNLIKELY(top->blocks != NULL || here->open_count != 0)) {
        sp_line_pop_slow(here);
        return;
    }
    sp_line_pin(top, -1);
    here->top--;
}

/* Take it off the stack, for going on with it later: what is returned owns all it had. */
sp_line_frame sp_line_lift(sp_line_thread *here, uint64_t now);
/* Put it back; false when memory is out, and then it is dropped. */
SP_MUST_USE bool sp_line_put_back(sp_line_thread *here, sp_line_frame *lifted, uint64_t now);
/* Forget a lifted frame. */
void sp_line_drop(sp_line_frame *lifted);

/* The recorded frame near the top that is this one and runs this code; those above it have ended.
 * NULL when there is none. */
sp_line_frame *sp_line_find(sp_line_thread *here, const void *frame, const PyCodeObject *code);

/* Count its lines elsewhere; the line that runs goes on there. */
void sp_line_turn_to(sp_line_frame *recorded, sp_line_table *table);
/* The same for its lines outside blocks. */
void sp_line_call_to(sp_line_thread *here, sp_line_frame *recorded, sp_line_table *call);
/* Where its lines go by its blocks, from this one outwards; NULL for nowhere. */
sp_line_table *sp_line_table_now(sp_line_thread *here, const sp_line_frame *recorded,
                                 const sp_line_block *block);

#endif
