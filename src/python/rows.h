/* Statistics as Python has them: rows, see _core.Manager._collect(). NULL with an exception set. */
#ifndef SP_ROWS_H
#define SP_ROWS_H

#include "record/statistics.h"

/* tracked: how long calls waited is known of all. scale: ns per tick. */
PyObject *sp_row_of(sp_node *node, const sp_load *load, bool tracked, double scale);
/* The rows of a tree, parents before children. */
PyObject *sp_rows_of_tree(const sp_tree *tree, bool tracked, double scale);
PyObject *sp_rows_of_regions(const sp_region_sums *regions, bool tracked, double scale);
/* The sketches of a tree: (number of the first bucket, counts as uint64) for each row. */
PyObject *sp_sketches_of_tree(const sp_tree *tree);

#endif
