/* Decisions that need no Python: where a tracing wants every function, and nothing else of it than that it
 * is called. Large programs have thousands of functions, and asking Python takes as long as hundreds of
 * calls. What is not plain is left to call_tracing.py, which says the same of what is. */
#ifndef SP_PLAIN_DECISION_H
#define SP_PLAIN_DECISION_H

#include "record/manager.h"

/* The region of calls of the code; NULL when Python is to be asked. Borrowed, as in sp_decision. In a
 * callout. plain: that of the tracing. */
struct sp_region *sp_decide_plainly(sp_manager *manager, PyObject *plain, PyCodeObject *code,
                                    PyObject *globals);

/* Whether that can be the `plain` of a tracing: (beginnings of the names of files that are not traced,
 * {id: ...} of code that is decorated) or None. */
bool sp_decides_plainly(PyObject *plain);

/* The region of the function in that file and line: that of the name, made when it does not exist yet, or NULL
 * when another function has the name, or with an exception set. Borrowed. Filled in by python/region_type.c. */
extern struct sp_region *(*sp_plain_region)(sp_manager *manager, PyObject *name, PyObject *file,
                                            int line);

#endif
