/* Callbacks for sys.monitoring. The interpreter calls them more often than anything else, so they are
 * objects with vectorcall, which it calls as they are; a built-in function in their place would look
 * at keywords and recursion first, and cost a third more of the whole event. */
#ifndef SP_CALLBACK_H
#define SP_CALLBACK_H

#include "base/compat.h"

typedef struct {
    const char *name;
    vectorcallfunc function;
} sp_callback;

/* Add callbacks, up to one without a name, to the module; -1 with an exception set. */
int sp_callbacks_add(PyObject *module, const sp_callback *callbacks);

/* Whether these are what an event carries: a code object, an int, and what else there is. Only a call
 * by hand gives something else. */
SP_INLINE bool sp_event_is(PyObject *const *args, Py_ssize_t given, Py_ssize_t takes)
{
    return SP_LIKELY(given == takes) && SP_LIKELY(PyCode_Check(args[0]))
           && SP_LIKELY(PyLong_Check(args[1]));
}
/* The exception for all else; NULL. */
PyObject *sp_event_refuse(void);

#endif
