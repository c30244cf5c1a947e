/* Which traced functions have called which, where a tracing asks for it: each pair once, by the names of
 * their regions. The caller is what is open around the call, so it may be a region of any kind. */
#ifndef SP_CALL_PAIRS_H
#define SP_CALL_PAIRS_H

#include "calls/call_decisions.h"

/* The call with this key has just begun in this thread. */
void sp_call_pairs_note(sp_tracing *tracing, const void *key);
/* A list of (caller, called); NULL with an exception set. */
PyObject *sp_call_pairs_list(const sp_tracing *tracing);
void sp_call_pairs_forget(sp_tracing *tracing);

#endif
