/* Calls of C functions, built-in functions and methods of C types, as cProfile has them. Where a tracing
 * is asked for them, each call that traced code makes is an open call, in a region named after the C
 * function. Which region is decided once for each definition (PyMethodDef), in Python. */
#ifndef SP_C_CALLS_H
#define SP_C_CALLS_H

#include "calls/traced_open.h"

extern unsigned sp_c_calls_needed; /* how many tracings want them */

/* The frame calls something that may be a C function. self: its first argument, or NULL for none.
 * Returns whether somebody wants calls made by this code. */
bool sp_c_calls_enter(const void *frame, PyCodeObject *code, PyObject *function, PyObject *self);
/* That is over. */
void sp_c_calls_leave(const void *frame, PyObject *function, bool failed);

/* Whether C functions that are called in a frame of this code are wanted now. */
bool sp_c_calls_wanted(const PyCodeObject *code);

/* The frame no longer waits for a C function. One that is open there ended without an event: another
 * tool raised an exception in the place of the call, or took our events away. */
void sp_c_call_end_stale(const sp_tracing *tracing, const void *frame);

/* Forget every decision about a C function; mark the regions that they name. */
void sp_c_functions_forget(sp_tracing *tracing);
void sp_c_functions_keep(const sp_tracing *tracing);

#endif
