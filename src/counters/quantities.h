/* Names that the program gives to what it counts (flops, bytes, cells), and the number of each. A name keeps
 * its number as long as its manager lives. Names come from the source, where each is one object, so they
 * are found by their address. */
#ifndef SP_QUANTITIES_H
#define SP_QUANTITIES_H

#include "base/platform.h"

enum { SP_QUANTITIES = 32, SP_NO_QUANTITY = SP_QUANTITIES };

/* Begins as zeros. Names are added under the lock and read without: `count` is raised when a name is there. */
typedef struct {
    PyObject *names[SP_QUANTITIES]; /* str. Owned. */
    uint32_t count;
    sp_mutex lock;
} sp_quantities;

/* The number of one that the source has named before, or SP_NO_QUANTITY. */
SP_INLINE uint32_t sp_quantity_known(const sp_quantities *quantities, const PyObject *name)
{
    uint32_t count = SP_LOAD(&quantities->count);
    for (uint32_t i = 0; i < count; i++) {
        if (quantities->names[i] == name)
            return i;
    }
    return SP_NO_QUANTITY;
}

/* The same of any str, which gets a number when it has none; SP_NO_QUANTITY where there are none left, or
 * with an exception set no memory. */
uint32_t sp_quantity_of(sp_quantities *quantities, PyObject *name);
void sp_quantities_free(sp_quantities *quantities);

#endif
