/* Reading memory of this process that may be gone, or was never there: the system copies it, and says
 * when it cannot. So nothing that is read here can end the process, whatever an address says. */
#ifndef SP_PEEK_H
#define SP_PEEK_H

#include "base/compat.h"

/* Whether memory can be read so; to be asked once before it is. */
bool sp_peek_init(void);
/* Copy the bytes; false when they cannot be read. Needs no lock, and may be called in a signal handler. */
SP_MUST_USE bool sp_peek(void *into, const void *address, size_t size);

typedef struct {
    void *into;
    const void *address;
    size_t size;
} sp_peeked;

/* The same of several places at a time, which is quicker; false when one cannot be read. */
SP_MUST_USE bool sp_peek_all(const sp_peeked *places, size_t count);

#endif
