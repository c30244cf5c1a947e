/* What line mode counts in: the interned sets of regions, and the tables; from a line's first hit
 * to the result. lines.h has the types, and what of this the rest of the module calls; here is what
 * the recorder needs. */
#ifndef SP_LINE_TABLES_H
#define SP_LINE_TABLES_H

#include "lines/lines.h"

/* outer with the region; NULL when memory is out. */
sp_line_set *sp_line_set_with(sp_line_set *outer, struct sp_region *region);

/* The thread's table of the code for the set; made when missing, NULL when memory is out. */
sp_line_table *sp_line_table_of(sp_line_thread *here, sp_line_code *code, sp_line_set *set);
/* The same for the outer set (NULL: none) with the region. */
sp_line_table *sp_line_table_get(sp_line_thread *here, sp_line_code *code, sp_line_set *outer,
                                 struct sp_region *region);

#endif
