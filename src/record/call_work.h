/* What the program says of the work of a call that is open. */
#ifndef SP_CALL_WORK_H
#define SP_CALL_WORK_H

#include "record/region.h"

typedef struct {
    uint32_t quantity; /* SP_NO_QUANTITY: there are too many, it is lost */
    double amount;
} sp_amount;

/* Add what was done to the newest open call of the region in this thread or task, or with NULL to the
 * innermost of all. Where there is none, or no memory, that is counted. */
void sp_call_add_work(sp_manager *manager, const sp_region *region, const sp_amount *amounts,
                      Py_ssize_t count);

#endif
