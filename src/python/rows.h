/* Statistics as Python has them: rows, see _core.Manager._collect(). NULL with an exception set. */
#ifndef SP_ROWS_H
#define SP_ROWS_H

#include "journal/json_text.h"
#include "record/statistics.h"

enum { SP_QUANTILES = 5 };

/* One of the percentiles 50, 90, 95, 99 and 99.9. */
int64_t sp_quantile_ns(sp_totals *totals, int which, double scale);
/* Running is told from waiting in calls that are made of steps, and in all where tasks are tracked. */
bool sp_node_has_waits(const sp_node *node, bool tracked);
/* {quantity: how much}, or null. */
void sp_put_work(sp_json_text *into, const sp_node *node);

/* tracked: how long calls waited is known of all. scale: ns per tick. */
PyObject *sp_row_of(const sp_node *node, const sp_load *load, bool tracked, double scale);
/* The rows of a tree, parents before children. */
PyObject *sp_rows_of_tree(const sp_tree *tree, bool tracked, double scale);
PyObject *sp_rows_of_regions(const sp_region_sums *regions, bool tracked, double scale);
/* The sketches of a tree, as bytes: how many buckets each row has that have calls, uint32; their numbers,
 * uint16, and how many calls they have, uint64, one row after the other. */
PyObject *sp_sketches_of_tree(const sp_tree *tree);

#endif
