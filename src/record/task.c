#include "record/task.h"

#include "base/callout.h"
#include "base/heap.h"
#include "record/open_call.h"

enum { FIRST_CALLS = 4 };

/* It is new in this run, or the run is new: it has no calls, and gets a number. */
static bool begin_anew(sp_task *task)
{
    if (task->stack.calls == NULL && !sp_stack_init(&task->stack, FIRST_CALLS))
        return false;
    task->stack.top = task->stack.calls;
    task->stack.context = task->stack.around.context = SP_NO_CONTEXT;
    task->run = task->manager->run;
    task->number = SP_ADD(&task->manager->task_count, 1);
    task->steps = task->running = task->waiting = 0;
    return true;
}

/* What is open in it has waited. */
static void wait_until(sp_task *task, uint64_t now)
{
    uint64_t waited = now - task->since;
    task->waiting += waited;
    for (sp_open_call *open = task->stack.calls + 1; open <= task->stack.top; open++)
        open->waited += waited;
}

/* Put the task's calls, or with NULL the thread's own, in the place of those that are there. */
static void switch_to(sp_thread *thread, sp_task *task)
{
    sp_stack *before = thread->task == NULL ? &thread->home : &thread->task->stack;
    const sp_stack *now = task == NULL ? &thread->home : &task->stack;
    sp_stack entered = *now;
    sp_thread_exchange(thread, &entered);
    *before = entered;
    thread->task = task;
    thread->task_number = task == NULL ? 0 : task->number;
}

/* The task is left: back to the one in whose place it was, if that is entered still. Returns those
 * that the thread has no more to do with, as a chain. */
static sp_task *take_back(sp_thread *thread, sp_task *task)
{
    sp_task *last = task;
    while (last->outer != NULL && !last->outer->entered)
        last = last->outer;
    switch_to(thread, last->outer);
    last->outer = NULL;
    return task;
}

void sp_task_abandon(sp_thread *thread)
{
    thread->abandoned = thread->task;
    if (thread->task != NULL)
        switch_to(thread, NULL);
}

void sp_task_release(sp_task *task)
{
    while (task != NULL) {
        sp_task *outer = task->outer;
        task->outer = NULL;
        Py_DECREF(task);
        task = outer;
    }
}

/* Call on_enter, until it has returned something else than False. No exception of this may come out. */
static void announce(sp_task *task)
{
    sp_callout callout;
    sp_callout_begin(&callout);
    PyObject *on_enter = Py_NewRef(task->on_enter);
    PyObject *result = PyObject_CallNoArgs(on_enter);
    if (result != Py_False)
        Py_CLEAR(task->on_enter);
    Py_XDECREF(result);
    Py_DECREF(on_enter);
    sp_callout_end(&callout);
}

/* False when it is not. */
static bool enter(sp_task *task)
{
    sp_manager *manager = task->manager;
    if (task->entered || manager->run == SP_NO_RUN)
        return false;
    sp_thread *thread = sp_thread_record_make_always(manager);
    if (thread == NULL || (task->run != manager->run && !begin_anew(task)))
        return false;
    uint64_t now = sp_now();
    if (task->steps++ != 0)
        wait_until(task, now);
    task->since = now;
    task->thread = thread->number;
    task->entered = true;
    task->stack.calls->node = thread->base;
    task->outer = thread->task; /* a loop that a task of another loop runs */
    switch_to(thread, (sp_task *)Py_NewRef(task));
    return true;
}

void sp_task_enter(sp_task *task)
{
    sp_guard_take();
    bool entered = enter(task);
    sp_guard_release();
    if (entered && task->on_enter != NULL)
        announce(task);
}

/* The tasks that are over with it. */
static sp_task *leave(sp_task *task, bool done)
{
    uint64_t now = sp_now();
    if (done && task->done == 0)
        task->done = now;
    if (!task->entered)
        return NULL;
    task->entered = false;
    task->running += now - task->since;
    task->since = now;
    sp_thread *thread = sp_thread_find(task->manager);
    sp_task *over = thread != NULL && thread->task == task ? take_back(thread, task) : NULL;
    if (done && sp_stack_is_empty(&task->stack)) {
        sp_free(task->stack.calls);
        task->stack = (sp_stack){0};
    }
    return over;
}

void sp_task_leave(sp_task *task, bool done)
{
    sp_guard_take();
    sp_task *over = leave(task, done);
    sp_guard_release();
    sp_task_release(over);
}
