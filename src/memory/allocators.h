/* Counting what is taken and given back through Python's allocators, in all three domains, and through
 * NumPy's for the data of arrays, which passes Python's by.
 *
 * Each allocator is put in front of the one that is there and hands on to it: pymalloc, the C library, the
 * debug allocators, tracemalloc. They are never taken out again, as other threads may be in them; while
 * nothing is measured they hand on and that is all. Blocks from before measuring began are of unknown size:
 * they do not count when they are freed. */
#ifndef SP_ALLOCATORS_H
#define SP_ALLOCATORS_H

#include "base/compat.h"

/* Measuring begins or ends, as often for the one as for the other. -1 when memory is out. */
SP_MUST_USE int sp_allocators_count(bool on);
/* Whether Python's allocators still ask ours: tracemalloc.stop() takes out with its own what came after. */
bool sp_allocators_are_in(void);

/* Put ours in NumPy's default handler of array data (NEP 49), a PyDataMem_Handler; false when it is not of
 * the form that is known. */
bool sp_allocators_enter_numpy(void *handler);

#endif
