#include "record/after_call.h"

#include "record/checkpoint.h"
#include "record/slow_told.h"

SP_APART void sp_after_call_slow(sp_manager *manager, uint64_t now)
{
    Py_INCREF(manager);
    sp_slow_told(manager);
    sp_checkpoint_make(manager, now);
    Py_DECREF(manager);
}
