/* Who calls __exit__: a `with` statement, or the program by hand. */
#ifndef SP_WITH_STATEMENT_H
#define SP_WITH_STATEMENT_H

#include "base/compat.h"

/* Whether the running frame is at a `with` statement that leaves. It entered in the same activation,
 * then, whereas what is left by hand may have been entered anywhere. So a `with` that was entered while
 * paused does not end the call of the region around it, in a recursion, or of another generator: random
 * programs find those times wrong without this. Slow, and rare: it looks at the code. */
bool sp_with_statement_leaves(void);

#endif
