/* What a run's journal has of its tree (docs/journal.md, State). The program waits while it is made, so
 * nothing becomes an object of Python on the way. */
#ifndef SP_STATE_TEXT_H
#define SP_STATE_TEXT_H

#include "journal/json_text.h"
#include "record/statistics.h"

/* Members of a JSON object: counters, scale, tree, sketches and regions, each with a comma before it. */
void sp_state_put_tree(sp_json_text *into, const sp_manager *manager, const sp_tree *tree,
                       double scale);

#endif
