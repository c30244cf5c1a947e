/* Calls of C functions, built-in functions and methods of C types, as cProfile has them. Where a tracing
 * is asked for them, each call that traced code makes is an open call, in a region named after the C
 * function. Which region is decided once for each definition (PyMethodDef), in Python. */
#ifndef SP_C_CALLS_H
#define SP_C_CALLS_H

#include "calls/traced_open.h"

extern unsigned sp_c_calls_needed; /* how many tracings want them */

/* A decision. Functions are made by programs too (pybind11), and another may get the memory of one
 * that is gone: the name is part of what is compared. */
typedef struct {
    sp_tracing *tracing;
    const PyMethodDef *definition; /* an identity, as the next */
    const char *name;
    sp_region *region; /* or NULL: not wanted. See sp_tracing_keep_regions(). */
    sp_throttle throttle;
} sp_c_function;

enum { SP_C_FUNCTIONS = 256 };
extern sp_c_function *sp_c_functions_used[SP_C_FUNCTIONS]; /* the ones used last; all threads' */

SP_INLINE sp_c_function **sp_c_function_place(const sp_tracing *tracing,
                                              const PyMethodDef *definition)
{
    uintptr_t mixed = (uintptr_t)definition / sizeof *definition ^ (uintptr_t)tracing->serial;
    return &sp_c_functions_used[mixed % SP_C_FUNCTIONS];
}

/* NULL when it is no C function. */
SP_INLINE const PyMethodDef *sp_c_definition_of(PyObject *function)
{
    if (Py_IS_TYPE(function, &PyMethodDescr_Type))
        return ((PyMethodDescrObject *)function)->d_method;
    return PyCFunction_Check(function) ? ((PyCFunctionObject *)function)->m_ml : NULL;
}

/* The same of what is called: a type's method with a fitting first argument. */
SP_INLINE const PyMethodDef *sp_c_definition_of_called(PyObject *function, PyObject *self)
{
    bool fits = !Py_IS_TYPE(function, &PyMethodDescr_Type)
                || (self != NULL && PyObject_TypeCheck(self, PyDescr_TYPE(function)));
    return fits ? sp_c_definition_of(function) : NULL;
}

/* What has been decided about the C function, where that is at hand; or NULL. */
SP_INLINE sp_c_function *sp_c_function_used(const sp_tracing *tracing,
                                            const PyMethodDef *definition)
{
    sp_c_function *used = *sp_c_function_place(tracing, definition);
    bool is_it = used != NULL && used->definition == definition && used->tracing == tracing
                 && used->name == definition->ml_name;
    return SP_LIKELY(is_it) ? used : NULL;
}

SP_INLINE bool sp_c_calls_wanted_in(const sp_tracing *tracing, const sp_decision *decision)
{
    return decision->c_calls && (decision->everywhere || sp_section_is_open(tracing));
}

/* Where one tracing is on, what it has decided is at hand, and times alone are noted: nearly always. False when
 * it is otherwise. */
SP_INLINE bool sp_c_calls_enter_plainly(const void *frame, const PyCodeObject *code,
                                        const PyMethodDef *definition)
{
    const sp_tracing *tracing = sp_tracing_alone;
    if (tracing == NULL || tracing->decide_c == NULL || sp_here.run != tracing->manager->run
        || sp_here.thread->stack.top->key == sp_c_call_key(frame))
        return false;
    const sp_decision *decision = sp_decision_used(tracing, code);
    const sp_c_function *function = sp_c_function_used(tracing, definition);
    if (decision == NULL || !sp_c_calls_wanted_in(tracing, decision) || function == NULL
        || function->region == NULL || !sp_region_is_plain(function->region))
        return false;
    sp_traced_enter_plain(function->region, &function->region->last, sp_c_call_key(frame));
    return true;
}

/* The frame calls something that may be a C function. self: its first argument, or NULL for none.
 * Returns whether somebody wants calls made by this code. */
bool sp_c_calls_enter_slow(const void *frame, PyCodeObject *code, PyObject *function,
                           PyObject *self);
SP_INLINE bool sp_c_calls_enter(const void *frame, PyCodeObject *code, PyObject *function,
                                PyObject *self)
{
    const PyMethodDef *definition = sp_c_definition_of_called(function, self);
    return SP_LIKELY(definition != NULL && sp_c_calls_enter_plainly(frame, code, definition))
           || sp_c_calls_enter_slow(frame, code, function, self);
}

/* That is over. */
void sp_c_calls_leave_slow(const void *frame, PyObject *function, bool failed);
SP_INLINE void sp_c_calls_leave(const void *frame, PyObject *function, bool failed)
{
    const sp_tracing *tracing = sp_tracing_alone;
    const void *key = sp_c_call_key(frame);
    if (SP_UNLIKELY(tracing == NULL || sp_here.run != tracing->manager->run
                    || sp_here.thread->stack.top->key != key)) {
        sp_c_calls_leave_slow(frame, function, failed);
        return;
    }
    uint64_t now = sp_now();
    sp_open_call_leave(tracing->manager, sp_here.thread->stack.top->region, key, now, failed,
                       SP_TRACED_C);
    sp_traced_ended();
}

/* Whether C functions that are called in a frame of this code are wanted now. */
bool sp_c_calls_wanted_slow(const PyCodeObject *code);
SP_INLINE bool sp_c_calls_wanted(const PyCodeObject *code)
{
    const sp_tracing *tracing = sp_tracing_alone;
    const sp_decision *decision = tracing == NULL ? NULL : sp_decision_used(tracing, code);
    return SP_LIKELY(decision != NULL)
               ? tracing->decide_c != NULL && sp_c_calls_wanted_in(tracing, decision)
               : sp_c_calls_wanted_slow(code);
}

/* The frame no longer waits for a C function. One that is open there ended without an event: another
 * tool raised an exception in the place of the call, or took our events away. */
void sp_c_call_end_stale(const sp_tracing *tracing, const void *frame);

/* Forget every decision about a C function; mark the regions that they name. */
void sp_c_functions_forget(sp_tracing *tracing);
void sp_c_functions_keep(const sp_tracing *tracing);

#endif
