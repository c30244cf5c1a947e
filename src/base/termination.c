/* A signal that ends the process, for which there is a handler in Python, is heard.
 *
 * Python handles signals between two instructions of the main thread. A signal that arrives right
 * before that waits, for a lock say, is handled when the wait is over: in an idle process, never. So
 * the alarm clock sends it again until it was heard. Where C code keeps the main thread for too long,
 * the process ends as it would without a handler. The program's own alarms do not matter any more.
 *
 * What runs in a signal handler here is safe there: setitimer, sigaction, pthread_kill. */
#include "base/termination.h"

#ifndef _WIN32
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

enum { EVERY_US = 50000, TIMES = 200 }; /* ten seconds, which containers have to stop */

static struct {
    struct sigaction python; /* what Python handles the signal with */
    pthread_t main;
    int number;
    volatile sig_atomic_t sent_again; /* how often, from 1 on; 0 while there is nothing to hear */
    bool hears_all;                   /* no signal was caught before arrived() was there */
} waiting;

static void set_alarm(int us)
{
    struct itimerval timer = {{0, us}, {0, us}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void send_again(int alarm)
{
    int error = errno;
    (void)alarm;
    if (waiting.sent_again != 0) {
        if (++waiting.sent_again > TIMES)
            signal(waiting.number, SIG_DFL);
        pthread_kill(waiting.main, waiting.number);
    }
    errno = error;
}

static void arrived(int number)
{
    int error = errno;
    if (waiting.sent_again == 0) {
        /* The signal comes while the alarm is handled, so it is the alarm that must interrupt what
         * waits: no SA_RESTART. */
        struct sigaction action = {.sa_handler = send_again};
        waiting.sent_again = 1;
        sigaction(SIGALRM, &action, NULL);
        set_alarm(EVERY_US);
    }
    errno = error;
    waiting.python.sa_handler(number);
}

/* How the signal is handled now. Returns its number, or -1 with an exception. */
static int read_action(PyObject *number, struct sigaction *action)
{
    long which = PyLong_AsLong(number);
    if (which == -1 && PyErr_Occurred())
        return -1;
    if (sigaction((int)which, NULL, action) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return (int)which;
}

static PyObject *send_until_heard(PyObject *module, PyObject *number)
{
    struct sigaction action;
    int which = read_action(number, &action);
    (void)module;
    if (which < 0)
        return NULL;
    waiting.main = pthread_self(); /* another one in the child of a fork */
    waiting.number = which;
    waiting.sent_again = 0;
    if (action.sa_handler != arrived && action.sa_handler != SIG_DFL
        && action.sa_handler != SIG_IGN) {
        waiting.python = action;
        action.sa_handler = arrived;
        sigaction(which, &action, NULL);
    }
    waiting.hears_all = false;
    if (PyErr_CheckSignals() < 0) /* of those that Python caught itself before */
        return NULL;
    waiting.hears_all = true;
    Py_RETURN_NONE;
}

static bool is_arrived_there(void)
{
    struct sigaction action;
    return sigaction(waiting.number, NULL, &action) == 0 && action.sa_handler == arrived;
}

static PyObject *heard(PyObject *module, PyObject *unused)
{
    bool sent = waiting.sent_again != 0;
    (void)module, (void)unused;
    if (sent) {
        set_alarm(0);
        waiting.sent_again = 0;
    }
    return PyBool_FromLong(sent || !waiting.hears_all || !is_arrived_there());
}

static PyObject *ends_process(PyObject *module, PyObject *number)
{
    struct sigaction action;
    (void)module;
    if (read_action(number, &action) < 0)
        return NULL;
    return PyBool_FromLong(action.sa_handler == SIG_DFL);
}

PyDoc_STRVAR(send_until_heard_doc,
"send_until_heard(signal)\n--\n\n"
"Send the signal again and again, once it has come, until heard(). To be called when a handler in\n"
"Python has been set for it, in the main thread. After ten seconds the process ends by the signal.");

PyDoc_STRVAR(heard_doc, "heard()\n--\n\n"
"The handler runs: the signal is not sent again. False when nobody sent it: the handler was called as\n"
"_thread.interrupt_main() does, which does nothing where there is the default.");

PyDoc_STRVAR(ends_process_doc,
"ends_process(signal)\n--\n\nWhether nobody, in Python or C, handles or ignores the signal.");

PyMethodDef sp_termination_functions[] = {
    {"send_until_heard", send_until_heard, METH_O, send_until_heard_doc},
    {"heard", heard, METH_NOARGS, heard_doc},
    {"ends_process", ends_process, METH_O, ends_process_doc},
    {NULL},
};

#else

PyMethodDef sp_termination_functions[] = {{NULL}};

#endif
