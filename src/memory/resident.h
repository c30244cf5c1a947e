/* How much memory of the machine the process uses. */
#ifndef SP_RESIDENT_H
#define SP_RESIDENT_H

#include "base/compat.h"

/* Its resident set in bytes, as the system counts it; -1 where that cannot be told. Some 400 ns. */
int64_t sp_resident(void);

#endif
