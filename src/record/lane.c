#include "record/lane.h"

#include "base/callout.h"
#include "record/scope.h"

enum { FIRST_SCOPES = 4 };

/* It is new in this run, or the run is new: it has no calls, and gets a number. */
static bool begin_anew(sp_lane *lane)
{
    if (lane->stack.scopes == NULL) {
        lane->stack.scopes = PyMem_RawCalloc(FIRST_SCOPES, sizeof *lane->stack.scopes);
        if (lane->stack.scopes == NULL)
            return false;
        lane->stack.limit = lane->stack.scopes + FIRST_SCOPES - 1;
    }
    lane->stack.top = lane->stack.scopes;
    lane->stack.context = lane->stack.around.context = SP_NO_CONTEXT;
    lane->run = lane->manager->run;
    lane->number = SP_ADD(&lane->manager->lane_count, 1);
    lane->steps = lane->running = lane->waiting = 0;
    return true;
}

/* What is open in it has waited. */
static void wait_until(sp_lane *lane, uint64_t now)
{
    uint64_t waited = now - lane->since;
    lane->waiting += waited;
    for (sp_scope *scope = lane->stack.scopes + 1; scope <= lane->stack.top; scope++)
        scope->waited += waited;
}

/* Put the lane's calls, or with NULL the thread's own, in the place of those that are there. */
static void put(sp_thread *thread, sp_lane *lane)
{
    sp_stack *before = thread->lane == NULL ? &thread->home : &thread->lane->stack;
    const sp_stack *now = lane == NULL ? &thread->home : &lane->stack;
    sp_stack entered = *now;
    sp_thread_exchange(thread, &entered);
    *before = entered;
    thread->lane = lane;
    thread->lane_number = lane == NULL ? 0 : lane->number;
}

/* The lane is left: back to the one in whose place it was, if that is entered still. Returns those
 * that the thread has no more to do with, as a chain. */
static sp_lane *take_back(sp_thread *thread, sp_lane *lane)
{
    sp_lane *last = lane;
    while (last->outer != NULL && !last->outer->entered)
        last = last->outer;
    put(thread, last->outer);
    last->outer = NULL;
    return lane;
}

void sp_lane_abandon(sp_thread *thread)
{
    thread->abandoned = thread->lane;
    if (thread->lane != NULL)
        put(thread, NULL);
}

void sp_lane_release(sp_lane *lane)
{
    while (lane != NULL) {
        sp_lane *outer = lane->outer;
        lane->outer = NULL;
        Py_DECREF(lane);
        lane = outer;
    }
}

/* Tell Python that it runs, until that has learned what it wants to know. Nothing of this may show
 * in what goes on. */
static void announce(sp_lane *lane)
{
    sp_callout callout;
    sp_callout_begin(&callout);
    PyObject *on_enter = Py_NewRef(lane->on_enter);
    PyObject *result = PyObject_CallNoArgs(on_enter);
    if (result != Py_False)
        Py_CLEAR(lane->on_enter);
    Py_XDECREF(result);
    Py_DECREF(on_enter);
    sp_callout_end(&callout);
}

/* False when it is not. */
static bool enter(sp_lane *lane)
{
    sp_manager *manager = lane->manager;
    if (lane->entered || manager->run == SP_NO_RUN)
        return false;
    sp_thread *thread = sp_manager_attach_always(manager);
    if (thread == NULL || (lane->run != manager->run && !begin_anew(lane)))
        return false;
    uint64_t now = sp_now();
    if (lane->steps++ != 0)
        wait_until(lane, now);
    lane->since = now;
    lane->thread = thread->number;
    lane->entered = true;
    lane->stack.scopes->node = &thread->tree.root;
    lane->outer = thread->lane; /* a loop that a task of another loop runs */
    put(thread, (sp_lane *)Py_NewRef(lane));
    return true;
}

void sp_lane_enter(sp_lane *lane)
{
    sp_guard_take();
    bool entered = enter(lane);
    sp_guard_release();
    if (entered && lane->on_enter != NULL)
        announce(lane);
}

/* The lanes that are over with it. */
static sp_lane *leave(sp_lane *lane, bool done)
{
    uint64_t now = sp_now();
    if (done && lane->done == 0)
        lane->done = now;
    if (!lane->entered)
        return NULL;
    lane->entered = false;
    lane->running += now - lane->since;
    lane->since = now;
    sp_thread *thread = sp_thread_known(lane->manager);
    sp_lane *over = thread != NULL && thread->lane == lane ? take_back(thread, lane) : NULL;
    if (done && lane->stack.top == lane->stack.scopes) {
        PyMem_RawFree(lane->stack.scopes);
        lane->stack = (sp_stack){0};
    }
    return over;
}

void sp_lane_leave(sp_lane *lane, bool done)
{
    sp_guard_take();
    sp_lane *over = leave(lane, done);
    sp_guard_release();
    sp_lane_release(over);
}
