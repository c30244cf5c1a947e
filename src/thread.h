/* What one thread records for one run of one manager: its open calls, its tree, its log. Only
 * the thread itself writes here, so recording takes no lock. */
#ifndef SP_THREAD_H
#define SP_THREAD_H

#include "clock.h"
#include "node.h"
#include "threadlog.h"

/* A call that is open. `key` tells which activation opened it: the address of the interpreter
 * frame that runs the `with`, or of a C local for a decorated call. So interleaved generators
 * and coroutines, which enter and leave in any order, each close their own. */
typedef struct {
    struct sp_region *region;
    const void *key;
    sp_node *node;
    uint64_t start;
    int64_t children; /* ticks that calls made inside took so far, */
    uint32_t inside;  /* and how many calls that were */
    uint32_t annotation; /* number of its metadata in the run; 0 for none */
    uint64_t waited;  /* ticks for which its lane was left meanwhile */
    bool nested;      /* inside a call of the same node: a recursion */
} sp_scope;

typedef struct {
    sp_scope *top;    /* the innermost open call; scopes[0] is the root, always there */
    sp_scope *limit;  /* the last scope that fits */
    sp_scope *scopes;
} sp_stack;

struct sp_lane;

typedef struct sp_thread {
    sp_scope *top;    /* the innermost open call; scopes[0] is the root, always there */
    sp_scope *limit;  /* the last scope that fits */
    sp_log log;
    sp_scope *scopes; /* Owned. */
    sp_stack home;        /* its own open calls, while a lane's are in their place. Owned. */
    struct sp_lane *lane; /* whose calls these are, or NULL. Owned. */
    uint32_t lane_number; /* the lane's, or 0 */
    uint64_t serial;
    int64_t number; /* in its run, from 0 */
    uint64_t lost; /* entries that found no memory */
    sp_tree tree;
} sp_thread;

/* The thread's own view: the state it used last, valid while the run is the same. Run numbers
 * are unique in the process, so one comparison tells. */
typedef struct {
    uint64_t run;
    sp_thread *thread;
    uint64_t serial; /* of this thread in the process, given at its first recording */
    uintptr_t stack_floor; /* where its C stack is nearly used up; 0 when unknown */
} sp_thread_local;

extern SP_THREAD_LOCAL sp_thread_local sp_here;

sp_thread *sp_thread_new(uint64_t serial, bool events);
void sp_thread_free(sp_thread *thread);
uint64_t sp_thread_serial(void);
/* Double the stack of open calls; false when memory is out. */
bool sp_thread_deepen(sp_thread *thread);

#endif
