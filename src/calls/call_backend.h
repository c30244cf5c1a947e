/* What call tracing asks of its back-end, which fills in the pointers. */
#ifndef SP_CALL_BACKEND_H
#define SP_CALL_BACKEND_H

#include "base/compat.h"

/* The globals of a frame in which a call begins. Borrowed. */
extern PyObject *(*sp_calls_globals)(const void *frame);

/* One more, or one less, that needs the events of calls: a tracing everywhere, a traced section, a
 * tracing with suspended calls. On 3.12 and newer _instrument/call_tracing.py sees to it. */
#if SP_MONITORING
SP_INLINE void sp_calls_need(int change) { (void)change; }
#else
extern void (*sp_calls_need)(int change);
#endif

#endif
