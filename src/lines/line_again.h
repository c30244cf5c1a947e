/* Frames of code that counted before: what most are, found without asking which regions may want them. */
#ifndef SP_LINE_AGAIN_H
#define SP_LINE_AGAIN_H

#include "lines/line_frames.h"
#include "lines/line_threads.h"

/* A frame begins or goes on, of code that counted in this thread before for the only region that may want
 * it: then it is recorded; else NULL, and sp_line_frame_begins() is to be asked. */
SP_INLINE sp_line_frame *sp_line_frame_begins_for(sp_line_thread *here, const void *frame,
                                                  const PyCodeObject *code,
                                                  const sp_region *region)
{
    sp_line_table *table = sp_line_table_recall(here, code, region);
    if (SP_UNLIKELY(table == NULL || !sp_region_counts_lines(region)
                    || sp_unrecorded_for(region->manager)))
        return NULL;
    sp_line_code *entry = table->code;
    const sp_line_frame *top = here->stack.top;
    if (SP_UNLIKELY(!(entry->lines_on || entry->lines_stay_on) || top->frame == NULL
                    || top->frame == frame))
        return NULL;
    entry->unrecorded_lines = 0;
    sp_line_frame *recorded = sp_line_push(here, frame, entry);
    if (SP_LIKELY(recorded != NULL))
        sp_line_add(recorded, table, SP_LINE_WATCHED);
    return recorded;
}

/* The same where one region watches the code, always. */
SP_INLINE sp_line_frame *sp_line_frame_begins_watched(sp_line_thread *here, const void *frame,
                                                      const sp_line_code *entry)
{
    const sp_line_watch *watch = entry->watches;
    if (watch == NULL || watch->next_of_code != NULL || !watch->always || sp_line_watches(here)
        || sp_line_suspended_count != 0)
        return NULL;
    return sp_line_frame_begins_for(here, frame, entry->code, watch->region);
}

#endif
