/* Memory of the core's own: what it takes in the middle of a region is not the region's, and is left out
 * where the program's memory is counted. */
#ifndef SP_HEAP_H
#define SP_HEAP_H

#include "base/compat.h"

/* They need no GIL, and return NULL when memory is out. */
void *sp_malloc(size_t size);
void *sp_calloc(size_t count, size_t size);
void *sp_realloc(void *block, size_t size);
void sp_free(void *block);

/* In between, what is taken in other ways is the core's own too: Python objects. */
void sp_own_memory_begin(void);
void sp_own_memory_end(void);

#endif
