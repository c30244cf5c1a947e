/* What line mode has counted, as Python has it. */
#ifndef SP_LINE_ROWS_H
#define SP_LINE_ROWS_H

#include "record/region.h"

struct sp_line_table;

/* As _core.Manager._lines() gives it, for the region, or with NULL for all of the manager. Under shared.
 * NULL with an exception set. */
PyObject *sp_lines_rows(const sp_manager *manager, const sp_region *wanted);
/* The same of tables that sp_line_tables_take() gave. */
PyObject *sp_lines_rows_of(const struct sp_line_table *taken);

#endif
