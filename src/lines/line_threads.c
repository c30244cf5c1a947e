#include "lines/line_threads.h"

#include "base/heap.h"
#include "record/counters.h"

sp_line_thread *sp_line_threads;

/* ---- Stacks ------------------------------------------------------------------------------ */

/* Put the stack in the place of the one in use, and that there. */
static void exchange(sp_line_thread *thread, sp_line_stack *stack)
{
    sp_line_stack before = thread->stack;
    thread->stack = *stack;
    *stack = before;
}

static bool is_empty(const sp_line_thread *here)
{
    return here->stack.top == here->stack.frames && here->stack.open_count == 0;
}

/* Give the thread a stack without frames; false when memory is out. */
static bool new_frames(sp_line_thread *here, sp_line_stack *stack)
{
    enum { FRAMES = 16 };
    sp_line_frame *frames = sp_calloc(FRAMES, sizeof *frames);
    if (frames == NULL)
        return false;
    frames[0].frame = here; /* no interpreter frame has this address, nor NULL */
    frames[0].plain = true;
    frames[0].line = -1;
    *stack = (sp_line_stack){.top = frames, .frames = frames, .last = frames + FRAMES - 1};
    return true;
}

static void free_stack(sp_line_stack *stack)
{
    sp_free(stack->frames);
    sp_free(stack->open);
    sp_free(stack);
}

/* The frames on the stack in use are not recorded any longer. */
static void clear(sp_line_thread *here)
{
    while (here->stack.top > here->stack.frames)
        sp_line_pop(here, 0);
    here->stack.open_count = 0;
}

typedef struct {
    sp_line_thread *thread;
    void (*visit)(sp_line_thread *thread, const void *argument);
    const void *argument;
} visit;

static int visit_other(void *stack, void *argument)
{
    const visit *each = argument;
    exchange(each->thread, stack);
    each->visit(each->thread, each->argument);
    exchange(each->thread, stack);
    return 0;
}

void sp_line_each_stack(sp_line_thread *thread, void (*function)(sp_line_thread *, const void *),
                        const void *argument)
{
    visit each = {thread, function, argument};
    function(thread, argument);
    sp_map_each(&thread->others, visit_other, &each);
}

/* ---- Threads ----------------------------------------------------------------------------- */

static sp_line_thread *new_thread(void)
{
    sp_line_thread *here = sp_calloc(1, sizeof *here);
    sp_line_stack stack;
    if (here == NULL || !new_frames(here, &stack)) {
        sp_free(here);
        return NULL;
    }
    exchange(here, &stack);
    here->next = sp_line_threads;
    sp_line_threads = here;
    return here;
}

static int free_other(void *value, void *thread)
{
    sp_line_thread *here = thread;
    sp_line_stack *stack = value;
    exchange(here, stack);
    clear(here);
    exchange(here, stack);
    free_stack(stack);
    return 0;
}

/* A thread that is new takes over what one that has ended left: the counts go on, and memory does
 * not grow with the number of threads. Its frames, and those of its greenlets, do not go on. */
static sp_line_thread *take_over(void)
{
    sp_line_thread *here = sp_line_threads;
    while (here != NULL && !SP_LOAD(&here->owner->over))
        here = here->next;
    if (here == NULL)
        return NULL;
    sp_owner_release(here->owner);
    here->owner = NULL;
    clear(here);
    sp_line_switched_clear(here);
    sp_map_each(&here->others, free_other, here);
    sp_map_free(&here->others);
    here->other_count = 0;
    return here;
}

static sp_line_thread *begin_thread(const void *bottom)
{
    if (!sp_local_is_mine())
        return NULL;
    sp_line_thread *here = take_over();
    if (here == NULL)
        here = new_thread();
    if (here == NULL)
        return NULL;
    here->owner = sp_owner_hold(sp_here.owner);
    here->bottom = bottom;
    return sp_line_here = here;
}

/* ---- Greenlets --------------------------------------------------------------------------- */

/* Keep the stack until its greenlet runs again. */
static void keep_stack(sp_line_thread *here, sp_line_stack *stack, const void *bottom)
{
    /* Where no Python has run there may be two; and one that never ended may have left a stack. */
    sp_line_stack *other = sp_map_pop(&here->others, bottom, NULL);
    here->other_count -= other != NULL;
    if (other != NULL)
        free_other(other, here);
    if (sp_map_add(&here->others, bottom, NULL, stack) == 0) {
        here->other_count++;
        return;
    }
    free_other(stack, here);
    sp_lose_line();
}

SP_NOINLINE sp_line_thread *sp_line_thread_switch(const void *bottom)
{
    sp_line_thread *here = sp_line_here;
    if (here == NULL)
        return begin_thread(bottom);
    sp_line_stack *next = here->other_count == 0 ? NULL : sp_map_pop(&here->others, bottom, NULL);
    here->other_count -= next != NULL;
    /* The greenlet had not run any Python when it began a call, and has a stack of it now. */
    bool goes_on = here->bottom == NULL;
    const void *before = here->bottom;
    if (next == NULL && !is_empty(here) && !goes_on) {
        next = sp_malloc(sizeof *next);
        if (next == NULL || !new_frames(here, next)) {
            sp_free(next);
            return NULL;
        }
    }
    here->bottom = bottom;
    if (next == NULL)
        return here;
    exchange(here, next);
    if (next->top == next->frames && next->open_count == 0)
        free_stack(next);
    else
        keep_stack(here, next, before);
    return here;
}
