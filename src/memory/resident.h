/* How much memory of the machine the process uses. */
#ifndef SP_RESIDENT_H
#define SP_RESIDENT_H

#include "base/compat.h"

/* Its resident set in bytes, as the system counts it; -1 where that cannot be told. To ask takes some
 * microseconds. */
int64_t sp_resident(void);

/* What it was, and when that was read. */
typedef struct {
    int64_t bytes;
    uint64_t at;
} sp_resident_reading;

/* The same, read anew when that is asked for, or the last reading is 5 microseconds old: in less time a
 * program cannot touch more than some pages, and lines that take less would cost a multiple of what they
 * do. */
int64_t sp_resident_lately(sp_resident_reading *last, bool anew);

#endif
