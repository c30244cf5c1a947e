#include "journal/json_text.h"

#include <stdio.h>

#include "base/heap.h"

static void put(sp_json_text *into, const char *text, size_t size)
{
    if (into->size + size > into->capacity) {
        size_t capacity = 2 * (into->size + size) + 64;
        char *at = sp_realloc(into->at, capacity);
        if (at == NULL) {
            into->failed = true;
            return;
        }
        into->at = at;
        into->capacity = capacity;
    }
    memcpy(into->at + into->size, text, size);
    into->size += size;
}

void sp_json_put(sp_json_text *into, const char *text) { put(into, text, strlen(text)); }

static void put_unit(sp_json_text *into, uint16_t unit)
{
    char escaped[8];
    snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)unit);
    put(into, escaped, 6);
}

static void put_str(sp_json_text *into, PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    put(into, "\"", 1);
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 character = PyUnicode_READ_CHAR(text, i);
        if (character >= 0x10000) {
            put_unit(into, (uint16_t)(0xd800 + ((character - 0x10000) >> 10)));
            put_unit(into, (uint16_t)(0xdc00 + ((character - 0x10000) & 0x3ff)));
        } else if (character < ' ' || character > '~' || character == '"' || character == '\\') {
            put_unit(into, (uint16_t)character);
        } else {
            char plain = (char)character;
            put(into, &plain, 1);
        }
    }
    put(into, "\"", 1);
}

static void put_int(sp_json_text *into, PyObject *value)
{
    PyObject *digits = PyLong_Type.tp_repr(value);
    const char *text = digits == NULL ? NULL : PyUnicode_AsUTF8(digits);
    if (text == NULL)
        PyErr_Clear();
    sp_json_put(into, text == NULL ? "\"<int>\"" : text); /* of more digits than Python writes */
    Py_XDECREF(digits);
}

void sp_json_put_int(sp_json_text *into, int64_t value)
{
    char digits[20], *end = digits + sizeof digits, *at = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0)
        *--at = '-';
    put(into, at, (size_t)(end - at));
}

void sp_json_put_float(sp_json_text *into, double value)
{
    if (value == 0.0) { /* of most nodes with few calls */
        sp_json_put(into, "0.0");
        return;
    }
    char *digits = PyOS_double_to_string(value, 'r', 0, 0, NULL);
    if (digits == NULL) {
        PyErr_Clear();
        into->failed = true;
        return;
    }
    /* Python's json reads these. */
    sp_json_put(into, value != value         ? "NaN"
                      : value - value == 0.0 ? digits
                      : value > 0.0          ? "Infinity"
                                             : "-Infinity");
    PyMem_Free(digits);
}

static void put_any(sp_json_text *into, PyObject *value, int depth);

static void put_dict(sp_json_text *into, PyObject *values, int depth)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    const char *before = "{";
    while (PyDict_Next(values, &at, &name, &value)) {
        if (!PyUnicode_Check(name))
            continue;
        sp_json_put(into, before);
        put_str(into, name);
        put(into, ":", 1);
        put_any(into, value, depth);
        before = ",";
    }
    sp_json_put(into, *before == '{' ? "{}" : "}");
}

static void put_sequence(sp_json_text *into, PyObject *values, int depth)
{
    put(into, "[", 1);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(values); i++) {
        if (i != 0)
            put(into, ",", 1);
        put_any(into, PySequence_Fast_GET_ITEM(values, i), depth);
    }
    put(into, "]", 1);
}

static void put_any(sp_json_text *into, PyObject *value, int depth)
{
    if (value == Py_None)
        sp_json_put(into, "null");
    else if (PyBool_Check(value))
        sp_json_put(into, value == Py_True ? "true" : "false");
    else if (PyUnicode_Check(value))
        put_str(into, value);
    else if (PyLong_Check(value))
        put_int(into, value);
    else if (PyFloat_Check(value))
        sp_json_put_float(into, PyFloat_AS_DOUBLE(value));
    else if (depth > 0 && PyDict_Check(value))
        put_dict(into, value, depth - 1);
    else if (depth > 0 && (PyList_CheckExact(value) || PyTuple_Check(value)))
        put_sequence(into, value, depth - 1);
    else {
        sp_json_put(into, "\"<");
        sp_json_put(into, Py_TYPE(value)->tp_name);
        sp_json_put(into, ">\"");
    }
}

void sp_json_put_value(sp_json_text *into, PyObject *value)
{
    enum { DEPTH = 8 }; /* a list may hold itself */
    put_any(into, value, DEPTH);
}

void sp_json_free(sp_json_text *text) { sp_free(text->at); }
