#include "base/with_statement.h"

#include <opcode.h>

typedef struct {
    uint8_t opcode, oparg;
} instruction;

#if PY_VERSION_HEX < 0x030E0000

/* __exit__ takes the place of a method's self, so that one argument is not counted. A call by hand
 * with three arguments counts all. */
static bool calls_exit(const instruction *code, Py_ssize_t at)
{
    return code[at].opcode == CALL && code[at].oparg == 2;
}

#else

static bool loads_constant(instruction loads)
{
#ifdef LOAD_COMMON_CONSTANT
    if (loads.opcode == LOAD_COMMON_CONSTANT)
        return true;
#endif
    return loads.opcode == LOAD_CONST;
}

/* By hand, what is called is loaded right before the arguments. */
static bool calls_exit(const instruction *code, Py_ssize_t at)
{
    if (code[at].opcode != CALL || code[at].oparg != 3 || at < 4)
        return false;
    for (int i = 1; i <= 3; i++) {
        if (!loads_constant(code[at - i]))
            return false;
    }
    at -= 4;
    while (at > 0 && code[at].opcode == 0) /* caches */
        at--;
    return code[at].opcode != LOAD_ATTR && code[at].opcode != LOAD_GLOBAL
           && code[at].opcode != PUSH_NULL;
}

#endif

static bool leaves(PyObject *bytes, Py_ssize_t offset)
{
    const instruction *code = (const instruction *)(const void *)PyBytes_AS_STRING(bytes);
    Py_ssize_t at = offset / (Py_ssize_t)sizeof *code;
    return offset >= 0 && offset < PyBytes_GET_SIZE(bytes)
           && (code[at].opcode == WITH_EXCEPT_START || calls_exit(code, at));
}

bool sp_with_statement_leaves(void)
{
    PyFrameObject *running = PyEval_GetFrame();
    if (running == NULL)
        return false;
    PyCodeObject *code = PyFrame_GetCode(running);
    PyObject *bytes = PyCode_GetCode(code);
    bool answer = bytes != NULL && leaves(bytes, PyFrame_GetLasti(running));
    if (bytes == NULL)
        PyErr_Clear();
    Py_XDECREF(bytes);
    Py_DECREF(code);
    return answer;
}
