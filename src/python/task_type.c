/* The Python type of tasks and greenlets that are tracked. */
#include "base/clock.h"
#include "base/heap.h"
#include "base/thread_guard.h"
#include "python/state.h"
#include "record/task.h"

static PyObject *task_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *manager, *on_enter = Py_None;
    static char *names[] = {"manager", "on_enter", NULL};
    sp_state *state = PyType_GetModuleState(type);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|O:Task", names, state->manager_type,
                                     &manager, &on_enter))
        return NULL;
    sp_task *task = (sp_task *)type->tp_alloc(type, 0);
    if (task == NULL)
        return NULL;
    task->manager = (sp_manager *)Py_NewRef(manager);
    task->on_enter = on_enter == Py_None ? NULL : Py_NewRef(on_enter);
    task->created = sp_now();
    return (PyObject *)task;
}

static PyObject *task_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    sp_task_enter((sp_task *)self);
    Py_RETURN_NONE;
}

static PyObject *task_leave(PyObject *self, PyObject *done)
{
    int truth = PyObject_IsTrue(done);
    if (truth < 0)
        return NULL;
    sp_task_leave((sp_task *)self, truth);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(facts_doc,
"facts()\n--\n\n"
"(number in the run, from 1, or 0; number of the thread it ran on last; created, done or None: ns\n"
"on the perf_counter_ns() axis; times entered; ns entered; ns waiting in between)");

static PyObject *task_facts(PyObject *self, PyObject *unused)
{
    sp_task *task = (sp_task *)self;
    (void)unused;
    sp_stop_threads();
    sp_clock_calibrate();
    uint64_t now = sp_now(), running = task->running, waiting = task->waiting;
    if (task->entered)
        running += now - task->since;
    else if (task->done == 0 && task->steps != 0)
        waiting += now - task->since;
    sp_resume_threads();
    PyObject *done = task->done == 0 ? Py_NewRef(Py_None)
                                     : PyLong_FromLongLong(sp_clock_instant_ns(task->done));
    return Py_BuildValue("(ILLNKLL)", task->run == task->manager->run ? task->number : 0,
                         (long long)task->thread,
                         (long long)sp_clock_instant_ns(task->created), done,
                         (unsigned long long)task->steps,
                         (long long)sp_clock_span_ns((int64_t)running),
                         (long long)sp_clock_span_ns((int64_t)waiting));
}

static int task_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((sp_task *)self)->manager);
    Py_VISIT(((sp_task *)self)->on_enter);
    return 0;
}

static void task_dealloc(PyObject *self)
{
    sp_task *task = (sp_task *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    sp_free(task->stack.calls);
    Py_XDECREF(task->on_enter);
    Py_XDECREF(task->manager);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef task_methods[] = {
    {"enter", task_enter, METH_NOARGS, "enter()\n--\n\nIt runs on this thread from now on."},
    {"leave", task_leave, METH_O, "leave(done)\n--\n\nIt gives way; done: for the last time."},
    {"facts", task_facts, METH_NOARGS, facts_doc},
    {NULL},
};

static PyType_Slot task_slots[] = {
    {Py_tp_doc, "A task or greenlet: Task(manager, on_enter=None)."},
    {Py_tp_new, task_new},
    {Py_tp_traverse, task_traverse},
    {Py_tp_dealloc, task_dealloc},
    {Py_tp_methods, task_methods},
    {0, NULL},
};

PyType_Spec sp_task_spec = {
    .name = "scope_profiler._core.Task",
    .basicsize = sizeof(sp_task),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = task_slots,
};
