/* The tables that line mode counts in: one for each thread, code and region. line_types.h has the
 * types. */
#ifndef SP_LINE_TABLES_H
#define SP_LINE_TABLES_H

#include "lines/line_types.h"

/* The thread's table of the code for the region; made when missing, NULL when memory is out. */
sp_line_table *sp_line_table_of(sp_line_thread *here, sp_line_code *code, struct sp_region *region);
void sp_line_table_free(sp_line_table *table);
/* Where a line is counted once more; made when missing, NULL when memory is out. */
sp_line_columns *sp_line_table_again(sp_line_table *table);

/* A thread remembers the tables that it used last. The one of the code for the region, or NULL. */
SP_INLINE size_t sp_line_call_slot(const PyCodeObject *code, const struct sp_region *region)
{
    return (((uintptr_t)code >> 4) ^ ((uintptr_t)region >> 4)) % SP_LINE_CALLS;
}
SP_INLINE sp_line_table *sp_line_table_recall(const sp_line_thread *here,
                                              const PyCodeObject *code,
                                              const struct sp_region *region)
{
    size_t slot = sp_line_call_slot(code, region);
    sp_line_table *table = here->calls[slot].table;
    return SP_LIKELY(here->calls[slot].region == region && table->code->code == code) ? table
                                                                                      : NULL;
}
SP_INLINE void sp_line_table_remember(sp_line_thread *here, sp_line_table *table)
{
    size_t slot = sp_line_call_slot(table->code->code, table->region);
    here->calls[slot].region = table->region;
    here->calls[slot].table = table;
}

SP_INLINE void sp_line_table_hold(sp_line_table *table) { table->uses++; }
SP_INLINE void sp_line_table_release(sp_line_table *table)
{
    if (--table->uses == 0 && SP_UNLIKELY(table->region == NULL))
        sp_line_table_free(table);
}

/* The manager of its region, or NULL when that is gone. */
SP_INLINE const sp_manager *sp_line_table_manager(const sp_line_table *table)
{
    return table->region == NULL ? NULL : table->region->manager;
}

/* What was counted for the manager, as tables that nobody counts in, in the order of the list; in those
 * that are in use, counting begins at nothing. Where memory is out a table stays as it was. The threads are
 * stopped, and not any longer when they are freed. */
sp_line_table *sp_line_tables_take(const sp_manager *manager);
void sp_line_tables_taken_free(sp_line_table *taken);

extern sp_line_table *sp_line_tables; /* of all threads; new ones come first */

/* A region dies; a run of the manager begins. The threads are stopped. */
void sp_line_tables_forget(struct sp_region *region);
void sp_line_tables_reset(const sp_manager *manager);

#endif
