/* What line mode counts in: the interned sets of regions, and the tables. line_types.h has the types. */
#ifndef SP_LINE_TABLES_H
#define SP_LINE_TABLES_H

#include "lines/line_types.h"

/* outer with the region; NULL when memory is out. */
sp_line_set *sp_line_set_with(sp_line_set *outer, struct sp_region *region);

/* The thread's table of the code for the set; made when missing, NULL when memory is out. */
sp_line_table *sp_line_table_of(sp_line_thread *here, sp_line_code *code, sp_line_set *set);
/* The same for the outer set (NULL: none) with the region. */
sp_line_table *sp_line_table_get(sp_line_thread *here, sp_line_code *code, sp_line_set *outer,
                                 struct sp_region *region);

/* Whether the region, or one of the manager, is in the set. */
bool sp_line_set_holds(const sp_line_set *set, const struct sp_region *region);
bool sp_line_set_of_manager(const sp_line_set *set, const void *manager);

extern sp_line_table *sp_line_tables; /* of all threads; new ones come first */

/* A region dies; a run of the manager begins. The threads are stopped. */
void sp_line_tables_forget(struct sp_region *region);
void sp_line_tables_reset(const sp_manager *manager);

#endif
