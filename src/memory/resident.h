/* How much memory of the machine the process uses. */
#ifndef SP_RESIDENT_H
#define SP_RESIDENT_H

#include "base/compat.h"

/* Its resident set in bytes, as the system counts it; -1 where that cannot be told. To ask takes a
 * microsecond or two. */
int64_t sp_resident(void);

/* What it was, and when that was read. */
typedef struct {
    int64_t bytes;
    uint64_t at;
    int64_t faults;    /* of pages, that the thread had met then; -1 when unknown */
    uint32_t reckoned; /* how often it was added to since, see sp_resident_grown() */
} sp_resident_reading;

/* The same, read anew when that is asked for, or the last reading is 5 microseconds old: in less time a
 * program cannot touch more than some pages, and lines that take less would cost a multiple of what they
 * do. */
int64_t sp_resident_lately(sp_resident_reading *last, bool anew);

/* The same where the thread has taken some pages and given back less than one: what was read last, and a page
 * for each one that the thread has touched first since. To ask for that takes a fifth of a reading. A few pages
 * may stand for another number, as those that a fork had shared; so every 16th time it is read. */
int64_t sp_resident_grown(sp_resident_reading *last);

#endif
