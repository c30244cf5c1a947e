/* What line mode records with: the cells it counts in, the frames it records, and what each thread has of
 * them. */
#ifndef SP_LINE_TYPES_H
#define SP_LINE_TYPES_H

#include "record/region.h"

typedef struct {
    uint64_t hits, ticks;
} sp_cell;

/* A set of regions, as a chain. Interned: equal sets are the same object. */
typedef struct sp_line_set {
    struct sp_line_set *outer;
    sp_region *region;
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
    int first, count; /* lines, as in the plan of the code */
    uint32_t pins; /* recorded frames that count here now */
    struct sp_line_thread *owner; /* who counts here; NULL for what was handed over */
    sp_cell cells[]; /* by line - first */
} sp_line_table;

/* A `with` block that is open in a recorded frame. */
typedef struct sp_line_block {
    struct sp_line_block *outer;
    sp_region *region; /* Borrowed; NULL when it is gone. */
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
    sp_region *region; /* that the decorated call opens, or NULL */
    sp_line_block *blocks; /* the innermost. Owned. */
    sp_cell *cell;         /* of the line that runs, or NULL */
    uint64_t since;        /* when it began */
    bool muted;            /* another tool has asked for no line events of this frame (3.11) */
} sp_line_frame;

/* A region that watches code and is open in a thread, by blocks and calls. The pointer is for
 * comparing alone. */
typedef struct {
    const sp_region *region;
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
    sp_owner *owner;       /* who records here. Counted. */
    sp_line_frame *top;    /* this and the next: the stack in use, see sp_line_stack */
    sp_line_frame *frames;
    uint32_t frame_capacity;
    uint32_t open_count, open_capacity;
    sp_line_opening *open;
    const void *bottom;    /* whose stack it is, by sp_stack_bottom() */
    sp_map parked;         /* bottom -> sp_line_stack, of other greenlets. Owned. */
    uint32_t parked_count; /* how many */
    uint64_t last_serial;
    sp_map tables; /* (code, set) -> sp_line_table */
    struct {       /* the tables of the decorated calls made last */
        const sp_region *region; /* NULL: none */
        sp_line_table *table;
    } calls[SP_LINE_CALLS];
#if !SP_MONITORING
    Py_tracefunc foreign_trace; /* the tracer that was there before ours, or NULL */
#endif
} sp_line_thread;

/* What this thread records, or NULL. */
#define sp_line_here sp_here.lines

/* This frame's line is over, and its time with it. */
SP_INLINE void sp_line_stop(sp_line_frame *recorded, uint64_t now)
{
    if (recorded->cell != NULL)
        recorded->cell->ticks += now - recorded->since;
    recorded->cell = NULL;
}

/* Where the line is counted; NULL when it is none of the code's. */
SP_INLINE sp_cell *sp_line_cell(sp_line_table *table, int line)
{
    unsigned index = (unsigned)(line - table->first);
    return SP_LIKELY(index < (unsigned)table->count) ? &table->cells[index] : NULL;
}

/* A line begins. */
SP_INLINE void sp_line_hit(sp_line_frame *recorded, int line, uint64_t now)
{
    sp_cell *cell = sp_line_cell(recorded->table, line);
    sp_line_stop(recorded, now);
    recorded->cell = cell;
    if (SP_LIKELY(cell != NULL)) {
        cell->hits++;
        sp_here.line_hits++;
    }
    recorded->since = sp_now();
}

/* The innermost recorded frame if it is this one, else NULL. */
SP_INLINE sp_line_frame *sp_line_top(const void *frame, const PyCodeObject *code)
{
    const sp_line_thread *here = sp_line_here;
    sp_line_frame *top = SP_LIKELY(here != NULL) ? here->top : NULL;
    return SP_LIKELY(top != NULL && top->frame == frame && top->table->code->code == code) ? top
                                                                                            : NULL;
}

#endif
