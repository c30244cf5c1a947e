/* Lines are printed as they run, as the standard library's trace module does: a text for each line of code
 * that is to be printed, made once, and one for the begin of a call. */
#ifndef SP_LINE_LISTING_H
#define SP_LINE_LISTING_H

#include "lines/line_types.h"

/* Whether any code is printed: back-ends ask after each line. */
extern bool sp_line_listing;
/* Print the line that has just begun in this frame, if it is recorded and of such code. */
void sp_line_list(const void *frame, PyCodeObject *code, int line);

/* From now on the lines of the code are printed where they are recorded. texts: a tuple of
 * str, that of a call, then those of its lines, from the first in the plan on. */
void sp_line_listing_add(PyCodeObject *code, PyObject *texts);
/* Print no more. Returns the exception that has ended it before, or None. */
PyObject *sp_line_listing_end(void);

#endif
