/* A call that runs in steps: that of a generator, coroutine or async generator. Each resumption is
 * an open call, so what is entered inside nests below, and time between steps is charged to nobody.
 * The end makes one call of it all: it lasts from the first step to the last, and its exclusive
 * time is what ran in its own steps. */
#ifndef SP_STEPPED_H
#define SP_STEPPED_H

#include "record/open_call.h"

typedef struct {
    sp_node *node;    /* where the last step ran, in the run `run` */
    uint64_t run;
    uint64_t start;   /* of the first step */
    uint64_t running; /* ticks inside steps, */
    int64_t children; /* and of those inside other regions, */
    uint32_t inside;  /* in so many calls */
    uint32_t annotation; /* number of the metadata at the first step, in that run, */
    PyObject *kept;      /* and their entry, so that they stay; or NULL. Owned by who has this. */
    bool nested;
} sp_stepped;

/* How a step ends. SILENT: of a traced call that goes on, if it is not closed there, of which no event would tell
 * (calls/suspended_calls.h). */
typedef enum { SP_STEP_GOES_ON, SP_STEP_ENDS, SP_STEP_FAILS, SP_STEP_SILENT } sp_outcome;

/* The first step is under way, in this thread and open call. */
SP_INLINE sp_stepped sp_stepped_begin(const sp_open_call *open)
{
    return (sp_stepped){.run = sp_here.run,
                        .start = open->start,
                        .annotation = open->annotation,
                        .nested = open->nested};
}

/* A step is over: this was its open call, in that thread. What has not finished is no call of the node's,
 * nor open in it. */
SP_INLINE void sp_stepped_pause(sp_stepped *call, sp_thread *thread, const sp_open_call *open,
                                uint64_t now, sp_cost way)
{
    call->node = open->node;
    call->running += now - open->start;
    call->children += open->children;
    call->inside += open->inside;
    sp_node_end(open->node);
    sp_tree_note_past(&thread->tree, open->node, SP_PASSED);
    sp_thread_note_cost(thread, open->node, way, 1);
}

/* The last step is over: one call, from the first step until now. */
SP_INLINE void sp_stepped_end(const sp_stepped *call, sp_thread *thread, uint64_t now, bool failed,
                              sp_cost way)
{
    uint64_t lasted = now - call->start;
    int64_t own = (int64_t)call->running - call->children;
    sp_node_begin(call->node); /* which recording takes back */
    if (!sp_node_record(call->node, way, lasted, (int64_t)lasted - own, call->inside,
                        call->nested, failed))
        thread->lost++;
    if (lasted > call->running)
        sp_open_call_wait(thread, call->node, lasted - call->running, call->nested, lasted);
    uint32_t annotation = call->annotation;
    if (SP_UNLIKELY(call->node->region->extras & SP_THINNED))
        annotation = sp_open_call_thin(thread, call->node, annotation);
    if (SP_UNLIKELY(call->node->region->extras & SP_LIMITED)
        && lasted >= call->node->region->limit)
        sp_slow_call_note(thread, (sp_slow_call){.node = call->node,
                                                 .start = call->start,
                                                 .ticks = lasted,
                                                 .children = (int64_t)lasted - own,
                                                 .inside = call->inside,
                                                 .suspended = lasted > call->running});
    if (lasted >= thread->log.shortest)
        sp_log_append(&thread->log, sp_open_call_context(thread, annotation), call->start, lasted,
                      call->node->id);
}

/* Leaving by these is how a generator is told to end or tells that it has ended. */
SP_INLINE bool sp_is_end(PyObject *exception)
{
    return PyErr_GivenExceptionMatches(exception, PyExc_StopIteration)
           || PyErr_GivenExceptionMatches(exception, PyExc_StopAsyncIteration)
           || PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit);
}

#endif
