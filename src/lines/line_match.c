#include "lines/line_match.h"

#include "lines/line_columns.h"

SP_NOINLINE sp_line_frame *sp_line_match_slow(const void *frame, PyCodeObject *code, uint64_t now)
{
    if (!sp_lines_open())
        return NULL;
    sp_line_thread *here = sp_line_thread_here();
    if (here == NULL)
        return NULL;
    sp_line_frame *top = sp_line_top(frame, code); /* of the greenlet that runs */
    if (top != NULL)
        return top;
    sp_line_frame *below = sp_line_find(here, frame, code);
    if (below != NULL)
        return below;
    /* A generator that throw() resumed: there is no event for that on single code before 3.15. */
    sp_line_frame *resumed = sp_line_frame_resumes(here, frame, now);
    if (resumed == NULL || resumed->code->code == code)
        return resumed;
    sp_line_pop(here, 0); /* that one was never resumed, and another has its address now */
    return NULL;
}

bool sp_line_counts_exception(PyObject *type)
{
    return !PyErr_GivenExceptionMatches(type, PyExc_StopIteration)
           && !PyErr_GivenExceptionMatches(type, PyExc_StopAsyncIteration)
           && !PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit);
}

void sp_line_raised(sp_line_frame *recorded, int line)
{
    sp_line_detail_raised(recorded, sp_line_index(recorded, line));
}

void sp_line_continue(sp_line_frame *recorded, int line)
{
    recorded->line = sp_line_index(recorded, line);
    recorded->since = sp_now();
}
