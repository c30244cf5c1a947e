/* What line mode records with: the cells it counts in, the frames it records, and what each thread has of
 * them. */
#ifndef SP_LINE_TYPES_H
#define SP_LINE_TYPES_H

#include "record/region.h"

typedef struct {
    uint64_t hits, ticks;
} sp_cell;

/* What a run with line_details counts of a line besides. */
typedef struct {
    uint64_t shortest, longest; /* ticks of a hit; UINT64_MAX and 0 before one has ended */
    sp_sketch hits;             /* how long they took. Owned. */
    uint64_t raised;  /* exceptions that were raised there, or came out of what it called */
    uint64_t callees; /* of its ticks, those in which frames above it were recorded */
} sp_line_detail;

/* What a run with line_memory counts: what a line has taken of memory, in all and at most; of the process the
 * most after it, 0 where that is unknown, and by how much it grew. */
typedef struct {
    sp_memory_span span;
    int64_t resident, grown;
} sp_line_memory;
/* What was done in the thread for lines: what the time of a line has of ours besides its own events. */
typedef struct {
    uint64_t hits, frames[SP_LINE_FRAMES];
} sp_line_work;

/* What is counted of the lines of a code object, each an array by line - first, as in the plan. A column
 * that is new is a pointer here, NULL where it is not measured; it is added to in line_columns.c and read
 * in line_rows.c. Owned. */
typedef struct {
    sp_cell *cells;
    uint64_t *waiting; /* ticks for which generators were suspended; NULL: none was */
    sp_line_work *below;     /* in frames above theirs; NULL: nothing */
    sp_line_detail *details; /* on request */
    sp_line_memory *memory;  /* the same */
} sp_line_columns;

/* What arm() of _instrument/lines.py says of a code object. */
typedef struct {
    int first, count; /* its lines; count is 0 when its lines are not wanted */
    /* Bytecode offsets, sorted: where `with` statements enter, where one-line loops begin anew.
     * Owned. */
    int *withs, *loops;
    int with_count, loop_count;
    int events; /* of sys.monitoring, for recording its lines */
    bool calls; /* it is recorded in decorated calls, not only where it is watched */
} sp_line_plan;

/* What is known of a code object (line_codes.h). */
typedef struct sp_line_code {
    PyCodeObject *code; /* Borrowed; NULL when it is gone and its tables alone are left. */
    PyObject *watcher; /* weak reference that tells of its end. Owned. */
    PyObject *file, *name; /* co_filename, co_qualname. Owned. */
    int def_line;          /* co_firstlineno */
    bool suspends;         /* it is of a generator or coroutine */
    struct sp_line_code *next, **link; /* in the list of all that live */
    sp_line_plan plan;
    bool planned;
    bool lines_stay_on; /* its line events, */
    bool lines_on;      /* or they are on because a region that watches it was open */
    bool asleep;        /* no region that watches it can be open: it has no event of its begin */
    int armed;   /* events that are on now */
    uint32_t unrecorded_lines; /* line events since, of frames that are not recorded */
    uint32_t unrecorded_begins; /* the same of its begin */
    uint32_t frames; /* recorded ones */
    uint32_t tables;
    struct sp_line_watch *watches; /* of the regions that watch it */
    PyObject *texts;               /* what is printed of it (line_listing.h), or NULL. Owned. */
} sp_line_code;

SP_INLINE bool sp_line_offset_in(const int *offsets, int count, long offset)
{
    for (int i = 0; i < count; i++) {
        if (offsets[i] == offset)
            return true;
    }
    return false;
}

/* What a thread counted in a code object for a region. The region's lines are the sum of both; those of
 * the manager's regions together, each line once, are the sum of the first alone. */
typedef struct sp_line_table {
    struct sp_line_table *next, **link; /* in the list of all */
    sp_line_code *code;
    sp_region *region; /* Borrowed; NULL when it is gone. */
    struct sp_line_thread *owner; /* who counts here */
    uint32_t uses;   /* by recorded frames; while there are any it is not freed */
    bool goes_on;    /* a part was taken: time may be of lines whose hits were in that */
    sp_line_columns first;
    /* For frames that record the line for another region of the manager already; without cells until
     * there is one. */
    sp_line_columns again;
    sp_cell cells[]; /* those of `first` */
} sp_line_table;

/* Why a frame is recorded: its call is decorated, its code is watched, or it stands in a block. Or, where
 * frames are counted, it is of a decorated generator, and was suspended. */
typedef enum { SP_LINE_CALL, SP_LINE_WATCHED, SP_LINE_BLOCK, SP_LINE_STEP } sp_line_why;

typedef struct {
    sp_line_table *table; /* Counted in its uses. */
    /* Of the table, where this frame counts, and their cells; NULL: it does so for that region already.
     * The first reason of a frame has some. */
    sp_line_columns *columns;
    sp_cell *cells;
    sp_line_why why;
    bool was_open; /* while its generator is suspended: the block's region was open in the thread */
} sp_line_reason;

enum { SP_LINE_REASONS = 2 };

/* A frame whose lines are recorded. */
typedef struct {
    uint64_t serial;    /* grows along the stack, and no other of the thread has it */
    const void *frame;  /* NULL: a decorated call whose frame does not run yet */
    sp_line_code *code;
    int first, count;   /* its lines, as in the plan */
    int line;           /* the one that runs, less the first; -1: none */
    uint32_t reason_count;
    uint64_t so_far; /* of the line that runs: ticks before the frame was suspended, */
    uint64_t callees;     /* and of those since, what frames above have taken */
    sp_line_reason *more; /* those for which there is no room. Owned. */
    const sp_region *region; /* that the decorated call opens, or NULL */
    uint32_t mark;           /* from which the memory of the line is measured, or 0 */
    bool measures;           /* what its lines take of memory */
    bool decorated;          /* a decorated call, which ends by itself */
    bool muted;              /* another tool has asked for no line events of this frame (3.11) */
    bool plain; /* it counts in one table, hits and time alone, and so do those below it */
    uint64_t since;      /* when the line began, or the frame was suspended */
    uint64_t begun;      /* when it was put on the stack, unless it is plain */
    int64_t resident;    /* the memory of the process when the line began */
    sp_line_work before; /* when it was put on the stack, if a line ran below */
    sp_line_reason reasons[SP_LINE_REASONS];
} sp_line_frame;

SP_INLINE sp_line_reason *sp_line_reason_at(sp_line_frame *recorded, uint32_t i)
{
    return i < SP_LINE_REASONS ? &recorded->reasons[i] : &recorded->more[i - SP_LINE_REASONS];
}

/* A region that watches code and is open in a thread, by blocks and calls. The pointer is for
 * comparing alone. */
typedef struct {
    const sp_region *region;
    uint32_t count;
} sp_line_opening;

/* A region that a thread has switched on and off (line_switch.h). */
typedef struct {
    sp_region *region; /* Borrowed. */
    uint32_t count;    /* on requests that are not taken back */
    bool held;         /* on until it is switched off */
    bool on;
} sp_line_switched;

enum { SP_LINE_CALLS = 128 };

/* The recorded frames, innermost last, and what is open. */
typedef struct {
    sp_line_frame *top;    /* frames[0] stands for none */
    sp_line_frame *frames; /* Owned. */
    const sp_line_frame *last; /* for which there is room */
    uint32_t open_count, open_capacity;
    sp_line_opening *open; /* in the order in which they were opened. Owned. */
} sp_line_stack;

typedef struct sp_line_thread {
    struct sp_line_thread *next; /* of all */
    sp_owner *owner;       /* who records here. Counted. */
    sp_line_stack stack;   /* the one in use */
    const void *bottom;    /* whose stack it is, by sp_stack_bottom() */
    sp_map others;         /* bottom -> sp_line_stack, of other greenlets. Owned. */
    uint32_t other_count; /* how many */
    sp_line_switched *switched; /* for all greenlets. Owned. */
    uint32_t switched_count, switched_capacity;
    uint32_t on_count; /* how many of them are on */
    uint64_t last_serial;
    uint64_t listed; /* the last of those whose lines were printed (line_listing.h) */
    sp_map tables; /* (code, region) -> sp_line_table */
    struct { /* the tables of the decorated calls made last, and for regions that are switched */
        const sp_region *region; /* NULL: none */
        sp_line_table *table;
    } calls[SP_LINE_CALLS];
#if !SP_MONITORING
    Py_tracefunc foreign_trace; /* the tracer that was there before ours, or NULL */
    const void *running; /* frame that ran already when it was to be recorded, the outermost; or NULL */
#endif
} sp_line_thread;

/* What this thread records, or NULL. */
#define sp_line_here sp_here.lines

/* The innermost recorded frame if it is this one, else NULL. The first event of a decorated call tells which
 * frame that is. */
SP_INLINE sp_line_frame *sp_line_top(const void *frame, const PyCodeObject *code)
{
    const sp_line_thread *here = sp_line_here;
    if (SP_UNLIKELY(here == NULL))
        return NULL;
    sp_line_frame *top = here->stack.top;
    if (SP_LIKELY(top->frame == frame))
        return SP_LIKELY(top->code->code == code) ? top : NULL;
    if (top->frame != NULL || top->code->code != code || here->bottom != sp_stack_bottom())
        return NULL;
    top->frame = frame;
    return top;
}

#endif
