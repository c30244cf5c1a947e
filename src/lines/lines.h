/* Line mode: one recorder, fed by one of two back-ends (lines_monitoring.c, lines_trace.c).
 *
 * What is recorded is decided by activations, not by code: a decorated call records the lines of
 * its own frame, a `with` block those of the frame it stands in. A region may also *watch* code:
 * frames of it that begin or wake up while the region is open in their thread are recorded too. The
 * recorder keeps a stack of recorded frames per thread; a line's time runs from its event to the
 * next event of the same frame, so it includes what the line calls, and it stops while a generator
 * is suspended. Greenlets take turns in a thread; each has a stack of its own (line_greenlets.c).
 *
 * A frame may be recorded for several regions at once (a block in a decorated function, a block
 * in a block). The regions form a set, sets are interned, and each (code, set) has one table of
 * cells per thread: an event touches one cell however many regions want it. A region's lines are
 * the sum over the tables whose set holds it. */
#ifndef SP_LINES_H
#define SP_LINES_H

#include "record/manager.h"

typedef struct {
    uint64_t hits, ticks;
} sp_cell;

/* A set of regions, as a chain. Interned: equal sets are the same object. */
typedef struct sp_line_set {
    struct sp_line_set *outer;
    struct sp_region *region;
    struct sp_line_set *next_doomed; /* while a region is being forgotten, */
    bool pinned;                     /* and a recorded frame counts for this set */
} sp_line_set;

/* What arm() of _instrument/lines.py says of a code object. */
typedef struct {
    int first, count; /* its lines; count is 0 when its lines are not wanted */
    /* Bytecode offsets, sorted: where `with` statements enter, where one-line loops begin anew.
     * Owned. */
    int *withs, *loops;
    int with_count, loop_count;
    int events; /* of sys.monitoring, for recording its lines */
} sp_line_plan;

/* A code object that line mode has met (line_codes.h). */
typedef struct sp_line_code {
    PyCodeObject *code; /* Borrowed; NULL when it is gone and its tables alone are left. */
    PyObject *watcher; /* weak reference that tells of its end. Owned. */
    PyObject *file, *name; /* co_filename, co_qualname. Owned. */
    int def_line;          /* co_firstlineno */
    struct sp_line_code *next, **link; /* in the list of all that live */
    sp_line_plan plan;
    bool planned;
    bool kept;   /* its line events stay on, */
    bool heard;  /* or are on because a region that watches it was open */
    int armed;   /* events that are on now */
    uint32_t idle; /* line events since, of frames that are not recorded */
    uint32_t frames; /* recorded ones */
    uint32_t tables;
    struct sp_line_watch *watches; /* of the regions that watch it */
} sp_line_code;

SP_INLINE bool sp_line_offset_in(const int *offsets, int count, long offset)
{
    for (int i = 0; i < count; i++) {
        if (offsets[i] == offset)
            return true;
    }
    return false;
}

typedef struct sp_line_table {
    struct sp_line_table *next; /* in the list of all */
    sp_line_code *code;
    sp_line_set *set;
    uint32_t pins; /* recorded frames that count here now */
    struct sp_line_thread *owner; /* who counts here; NULL for what was handed over */
    sp_cell cells[]; /* by line - plan.first */
} sp_line_table;

/* A `with` block that is open in a recorded frame. */
typedef struct sp_line_block {
    struct sp_line_block *outer;
    struct sp_region *region; /* Borrowed; NULL when it is gone. */
    struct sp_line_block *next, **link; /* in the region's list of such blocks */
    bool was_open; /* while its generator sleeps: the region was open in the thread */
} sp_line_block;

/* A frame whose lines are recorded. */
typedef struct {
    uint64_t serial;       /* grows along the stack, and no other of the thread has it */
    const void *frame;     /* NULL: a decorated call whose frame does not run yet */
    sp_line_table *table;  /* where its lines go now */
    sp_line_table *call;   /* where they go outside blocks; NULL when only blocks record it */
    sp_line_table *own;    /* the decorated call's part of that, or NULL */
    struct sp_region *region; /* that the decorated call opens, or NULL */
    sp_line_block *blocks; /* the innermost. Owned. */
    sp_cell *cell;         /* of the line that runs, or NULL */
    uint64_t since;        /* when it began */
    bool muted;            /* another tool has asked for no line events of this frame (3.11) */
} sp_line_frame;

/* A region that watches code and is open in a thread, by blocks and calls. The pointer is for
 * comparing alone. */
typedef struct {
    const struct sp_region *region;
    uint32_t count;
} sp_line_opening;

enum { SP_LINE_CALLS = 32 };

/* The recorded frames, innermost last, and what is open. */
typedef struct {
    sp_line_frame *top;    /* frames[0] stands for none */
    sp_line_frame *frames; /* Owned. */
    uint32_t frame_capacity;
    uint32_t open_count, open_capacity;
    sp_line_opening *open; /* in the order in which they were opened. Owned. */
} sp_line_stack;

typedef struct sp_line_thread {
    struct sp_line_thread *next; /* of all */
    bool ended;
    sp_line_frame *top;    /* this and the next: the stack in use, see sp_line_stack */
    sp_line_frame *frames;
    uint32_t frame_capacity;
    uint32_t open_count, open_capacity;
    sp_line_opening *open;
    const void *bottom;    /* whose stack it is, by sp_stack_bottom() */
    sp_map parked;         /* bottom -> sp_line_stack, of other greenlets. Owned. */
    uint32_t parked_count; /* how many */
    uint64_t hits; /* since they were noted in the tree, see sp_scope_take_lines() */
    uint64_t last_serial;
    sp_map tables; /* (code, set) -> sp_line_table */
    struct {       /* the tables of the decorated calls made last */
        const struct sp_region *region; /* NULL: none */
        sp_line_table *table;
    } calls[SP_LINE_CALLS];
#if !SP_MONITORING
    Py_tracefunc foreign_trace; /* the tracer that was there before ours, or NULL */
#endif
} sp_line_thread;

/* Frames of generators that sleep inside a block. They may wake in another thread. */
extern uint32_t sp_line_asleep;

/* What this thread records, or NULL. */
#define sp_line_here sp_here.lines

/* How often a region watches code whether it is open or not. */
extern uint32_t sp_line_always;

/* Whether this thread has, or may wake, a recorded frame, or a region open that watches code. */
SP_INLINE bool sp_lines_open(void)
{
    const sp_line_thread *here = sp_line_here;
    return sp_line_asleep != 0
           || (here != NULL && (here->top != here->frames || here->open_count != 0
                                || here->parked_count != 0));
}

/* All of this is shared between threads (world.h).
 *
 * A decorated call, around it. begin returns a mark for end; 0 when nothing is recorded. code: NULL
 * when it is not Python's, which counts for the code that the region watches. */
uint64_t sp_lines_call_begin(struct sp_region *region, PyCodeObject *code);
void sp_lines_call_end(uint64_t mark);
/* The same for one step of a generator or coroutine, whose line goes on where it stopped: `kept`
 * is zeroed before the first step and holds the frame between steps. */
uint64_t sp_lines_step_begin(struct sp_region *region, PyCodeObject *code, sp_line_frame *kept);
void sp_lines_step_end(uint64_t mark, sp_line_frame *kept);
void sp_lines_step_drop(sp_line_frame *kept);
/* A `with` block of the running frame. Its lines are recorded only when the statement itself
 * enters: then it also leaves, in the same frame, whatever happens. */
void sp_lines_block_enter(struct sp_region *region, const void *frame);
void sp_lines_block_leave(struct sp_region *region, const void *frame);
/* A region dies: forget its lines. A run begins: its manager's lines start at nothing. */
void sp_lines_forget(struct sp_region *region);
void sp_lines_reset(sp_manager *manager);
/* How often memory was out, so that lines are missing. */
uint64_t sp_lines_lost(void);

/* From now on the lines of the code count for the region, see line_codes.h; -1 with an exception. */
typedef enum { SP_WATCH_AS_BEFORE, SP_WATCH_OPEN, SP_WATCH_ALWAYS } sp_line_when;
SP_MUST_USE int sp_lines_watch(struct sp_region *region, PyCodeObject *code, sp_line_when when);

PyObject *sp_lines_collect(PyObject *manager, PyObject *region);
extern const char sp_lines_collect_doc[];

/* ---- Between recorder and back-ends ---- */

/* This frame's line is over, and its time with it. */
SP_INLINE void sp_line_stop(sp_line_frame *recorded, uint64_t now)
{
    if (recorded->cell != NULL)
        recorded->cell->ticks += now - recorded->since;
    recorded->cell = NULL;
}

/* What this thread records, with the stack of the greenlet that runs; made when missing, NULL when
 * memory is out. */
sp_line_thread *sp_line_thread_turn(const void *bottom);
SP_INLINE sp_line_thread *sp_line_thread_here(void)
{
    sp_line_thread *here = sp_line_here;
    const void *bottom = sp_stack_bottom();
    return SP_LIKELY(here != NULL && here->bottom == bottom) ? here : sp_line_thread_turn(bottom);
}
/* The same where nothing is made; NULL also when nothing is recorded or open. */
SP_INLINE sp_line_thread *sp_line_thread_known(void)
{
    return sp_lines_open() || sp_line_always != 0 ? sp_line_thread_here() : NULL;
}

/* The innermost recorded frame if it is this one, else NULL. */
SP_INLINE sp_line_frame *sp_line_top(const void *frame, const PyCodeObject *code)
{
    const sp_line_thread *here = sp_line_here;
    sp_line_frame *top = SP_LIKELY(here != NULL) ? here->top : NULL;
    return SP_LIKELY(top != NULL && top->frame == frame && top->table->code->code == code) ? top
                                                                                            : NULL;
}

/* The recorded frame for an event of this frame at this time, or NULL. */
sp_line_frame *sp_line_match_slow(const void *frame, PyCodeObject *code, uint64_t now);
SP_INLINE sp_line_frame *sp_line_match(const void *frame, PyCodeObject *code, uint64_t now)
{
    sp_line_frame *top = sp_line_top(frame, code);
    return SP_LIKELY(top != NULL) ? top : sp_line_match_slow(frame, code, now);
}

/* A line begins. */
SP_INLINE void sp_line_hit(sp_line_frame *recorded, int line, uint64_t now)
{
    sp_line_stop(recorded, now);
    sp_line_table *table = recorded->table;
    unsigned index = (unsigned)(line - table->code->plan.first);
    if (SP_LIKELY(index < (unsigned)table->code->plan.count)) {
        recorded->cell = &table->cells[index];
        recorded->cell->hits++;
        sp_line_here->hits++;
    }
    recorded->since = sp_now();
}

/* A line that began before goes on: the frame has slept, and it is no new hit. */
void sp_line_go_on(sp_line_frame *recorded, int line);

/* A frame begins (fresh), or goes on after a yield: when regions are open that watch its code, its
 * lines count for them. Returns the recorded frame, or NULL when it is none. */
sp_line_frame *sp_line_frame_begins(const void *frame, PyCodeObject *code, bool fresh);
/* This frame, whose code may be watched, is over. */
void sp_line_frame_ends(const void *frame, PyCodeObject *code, uint64_t now);
/* The recorded frame, the top one, is at a yield. */
void sp_line_frame_yields(sp_line_thread *here, uint64_t now);
/* A sleeping frame wakes up; NULL when it was not asleep. */
sp_line_frame *sp_line_wake(sp_line_thread *here, const void *frame, uint64_t now);

/* What a back-end does when the running frame begins or ends being recorded, or is to call one that
 * is. The monitoring back-end has its events armed on the code and needs neither. */
#if SP_MONITORING
SP_INLINE bool sp_line_trace(bool on) { (void)on; return false; }
SP_INLINE bool sp_line_trace_callee(bool on) { (void)on; return false; }
/* Have the interpreter send the events that are wanted of the code now; -1 with an exception. */
SP_MUST_USE int sp_line_arm(sp_line_code *entry);
#else
bool sp_line_trace(bool on); /* returns what it was */
extern uint32_t sp_evaluator_in_depth; /* not 0: no hook sees to the callee itself */
SP_INLINE bool sp_line_trace_callee(bool on)
{
    return SP_UNLIKELY(sp_evaluator_in_depth != 0) && sp_line_trace(on);
}
SP_INLINE int sp_line_arm(sp_line_code *entry) { (void)entry; return 0; }
#endif

/* watch_lines() of scope_profiler/lines.py, */
PyObject *sp_line_watch_function(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
extern const char sp_line_watch_doc[];
/* and with it the functions of the module that are the back-end's: the callbacks or the switch. */
extern PyMethodDef sp_line_functions[];

#endif
