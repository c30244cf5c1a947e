/* Pages of files that are mapped into memory. */
#ifndef SP_PAGES_H
#define SP_PAGES_H

#include <stddef.h>

/* The process does not need these pages of a shared mapping for now. They leave its memory, and come back from
 * the file when they are looked at. */
void sp_pages_rest(void *address, size_t length);

#endif
