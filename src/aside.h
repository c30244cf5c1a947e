/* Python code of ours that runs in the middle of the user's, to decide something once. No tool of
 * his sees it, the exception that may be under way is not disturbed, none of ours comes out, and it
 * runs at the recursion limit too. Signals wait, as their handlers would run here. What interrupts
 * it all the same is the user's, and raised again where it can be. */
#ifndef SP_ASIDE_H
#define SP_ASIDE_H

#include "world.h"

typedef struct {
    PyThreadState *state;
    PyObject *type, *value, *traceback; /* what was under way. Owned. */
    int collects;                       /* whether garbage collection was on */
    sp_signals signals;
    int remaining;                      /* calls to the recursion limit */
    sp_let_go held;                     /* what keeps other threads out */
#if SP_C_RECURSION
    int c_remaining;
#endif
} sp_aside;

void sp_aside_begin(sp_aside *aside);
/* An exception that is set is dropped. */
void sp_aside_end(sp_aside *aside);

#endif
