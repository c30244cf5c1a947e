/* How large each block is that was taken while memory is measured, by its address.
 *
 * Allocators are handed an address to free, and no size. A header in each block would be missing from those
 * that were there before; a hash table would need a lock, as memory is also taken without the GIL. So there
 * is a shadow of the address space, as pymalloc and tcmalloc have one: a tree over the bits of the address,
 * whose leaves have 16 bits for each 16 bytes. They are made when first needed and never freed. Who has a
 * block is alone in touching its place, so there is no lock, and a fork has nothing to wait for.
 *
 * The shadow takes at most an eighth of what small blocks take, and next to nothing of large ones. */
#ifndef SP_BLOCK_SIZES_H
#define SP_BLOCK_SIZES_H

#include "base/compat.h"

/* Note the size of a block that was taken. What no allocator of the system returns, an address that is no
 * multiple of 16 or above 2**47, stays unknown, as does a block when memory is out. */
void sp_block_size_set(const void *block, size_t size);
/* It is about to be freed: its size, which is forgotten; false when it is unknown. */
bool sp_block_size_take(const void *block, size_t *size);
/* Forget all sizes. */
void sp_block_sizes_forget(void);

#endif
