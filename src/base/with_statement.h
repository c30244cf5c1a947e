/* Who calls __exit__: a `with` statement, or the program by hand. */
#ifndef SP_WITH_STATEMENT_H
#define SP_WITH_STATEMENT_H

#include "base/compat.h"

/* Whether the running frame is at a `with` statement that leaves. It entered in the same activation,
 * then, whereas what is left by hand may have been entered anywhere. Slow: it looks at the code. */
bool sp_with_statement_leaves(void);

#endif
