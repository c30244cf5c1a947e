#include "calls/call_backend.h"

PyObject *(*sp_calls_globals)(const void *frame);
#if !SP_MONITORING
void (*sp_calls_need)(int change);
#endif
