/* What line mode counts in: the interned sets of regions, the code objects it has met with their
 * plans, and the tables; from a line's first hit to the result. lines.h has the types, and what
 * of this the rest of the module calls; here is what the recorder needs. */
#ifndef SP_LINE_TABLES_H
#define SP_LINE_TABLES_H

#include "lines.h"

/* What is known of the code object; found out when it is new. NULL when that cannot be now. */
sp_line_code *sp_line_code_get(sp_manager *manager, PyCodeObject *code);

/* The thread's table of the code for the outer set (NULL: none) with the region; made when
 * missing, NULL when memory is out. */
sp_line_table *sp_line_table_get(sp_line_thread *here, sp_line_code *code, sp_line_set *outer,
                                 struct sp_region *region);

/* How often memory was out while lines were handed over. */
uint64_t sp_line_tables_lost(void);

#endif
