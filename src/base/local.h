/* What is a thread's own, whatever the run: one struct behind one thread-local pointer, because the
 * dynamic loader has room for few thread-local bytes in libraries that come late. It is made when the
 * thread first needs it, and freed when the thread ends. */
#ifndef SP_LOCAL_H
#define SP_LOCAL_H

#include "base/guards.h"

/* A thread of the operating system, as long as somebody asks whether it is over. */
typedef struct {
    uint64_t serial; /* in the process */
    uint32_t references;
    bool over;
    uint64_t native; /* the system's number of it, which others may have later; 0 when unknown */
} sp_owner;

/* The tracings in whose traced sections this thread is, by serial number (calls.c). Not a chain
 * through the C stack, which greenlets exchange. */
enum { SP_TRACED_SECTIONS = 8 };
typedef struct {
    uint32_t count;
    uint64_t tracings[SP_TRACED_SECTIONS];
} sp_traced_sections;

#if SP_MONITORING
/* The twins it called last, and how many had died by then (twin.c). */
enum { SP_TWINS_REMEMBERED = 64 };
typedef struct {
    uint64_t deaths;
    struct {
        const PyObject *function;
        struct sp_twin *twin;
    } slots[SP_TWINS_REMEMBERED];
} sp_twins_called;
#endif

enum { SP_LINE_FRAMES = 4 };

typedef struct {
    /* The record it used last, valid while the run is the same. Run numbers are unique in the
     * process, so one comparison tells. */
    uint64_t run;
    struct sp_thread *thread;
    uint32_t own_memory; /* not 0: memory is taken for the core itself (heap.h) */
    uint32_t unrecorded; /* how often code of ours is under way that records nothing (callout.h), */
    uint64_t left_run;   /* and what run and thread were before */
    struct sp_thread *left_thread;
    struct sp_waiting *waiting; /* meanwhile, for unrecorded.c. Owned. */
    sp_owner *owner;       /* this thread. Counted. NULL: this is not the thread's own yet. */
    uintptr_t stack_floor; /* where its C stack is nearly used up; 0 when unknown */
    uintptr_t last_key;    /* of a decorated call (wrapper.c) */
    struct sp_thread_memory
        *memory;                  /* what it takes of memory, where that is measured; or NULL */
    struct sp_line_thread *lines; /* what line mode records, or NULL */
    uint64_t line_hits;           /* lines that it has counted so far, */
    uint64_t lines_noted;         /* and those of them that the tree has (open_call.c) */
    uint64_t line_frames[SP_LINE_FRAMES]; /* recorded frames that have ended, by sp_line_why */
    sp_traced_sections sections;
#if SP_MONITORING
    sp_twins_called twins;
#else
    unsigned evaluations; /* one inside the other (evaluator.c), */
    const void *deepest;  /* and when the stack is nearly used up (calls_evaluator.c) the last frame, */
    Py_tracefunc profile; /* and the profile function that was there, or NULL */
#endif
#ifdef Py_GIL_DISABLED
    sp_guard guard;
#endif
} sp_local;

/* Until the thread has its own it looks at one that nobody may write to. */
extern SP_THREAD_LOCAL sp_local *sp_local_here;
#define sp_here (*sp_local_here)

/* Give the thread its own; false when memory is out. */
bool sp_local_make(void);
/* To be asked before it is written to. */
SP_INLINE bool sp_local_is_mine(void)
{
    return SP_LIKELY(sp_here.owner != NULL) || sp_local_make();
}

sp_owner *sp_owner_hold(sp_owner *owner);
void sp_owner_release(sp_owner *owner);

#endif
