#include "sampler/code_copies.h"

#include <stdlib.h>

#include "sampler/peek.h"

enum {
    TEXT_AT_MOST = 1 << 16, /* characters */
    TABLE_AT_MOST = 1 << 22,
    UNITS_AT_MOST = 1 << 22
};

/* ---- Texts and tables ------------------------------------------------------------------------- */

static bool copy_text(sp_text_copy *copy, const PyObject *text)
{
    PyUnicodeObject head;
    const char *characters = (const char *)text + sizeof(PyASCIIObject);
    if (!sp_peek(&head, text, sizeof(PyASCIIObject)))
        return false;
    const PyASCIIObject *base = &head._base._base;
    if (base->ob_base.ob_type != &PyUnicode_Type || !base->state.compact || base->length < 0
        || base->length > TEXT_AT_MOST)
        return false;
    if (!base->state.ascii)
        characters = (const char *)text + sizeof(PyCompactUnicodeObject);
    size_t size = (size_t)base->length * base->state.kind;
    *copy = (sp_text_copy){malloc(size + 1), (uint32_t)base->length, base->state.kind};
    return copy->characters != NULL && sp_peek(copy->characters, characters, size);
}

/* A signed number of the table: 6 bits to a byte, the lowest first, with the sign in the very lowest. */
static int32_t read_signed(const uint8_t **at, const uint8_t *end)
{
    uint32_t value = 0;
    for (unsigned shift = 0; *at < end && shift < 32; shift += 6) {
        uint8_t byte = *(*at)++;
        value |= (uint32_t)(byte & 63) << shift;
        if (!(byte & 64))
            break;
    }
    return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

/* The line of each code unit, from the table that CPython keeps (Objects/locations.md). An entry begins
 * with a byte of which the highest bit is set: its kind, and for how many units it is. */
static void read_lines(sp_code_copy *code, const uint8_t *at, const uint8_t *end)
{
    enum { ONE_LINE = 10, ONE_LINE_LAST = 12, NO_COLUMNS = 13, LONG = 14, NONE = 15 };
    int32_t line = code->first_line;
    uint32_t unit = 0;
    while (at < end && unit < code->units) {
        unsigned kind = *at >> 3 & 15, units = (*at & 7) + 1u;
        at++;
        if (kind == NO_COLUMNS || kind == LONG)
            line += read_signed(&at, end);
        else if (kind >= ONE_LINE && kind <= ONE_LINE_LAST)
            line += (int32_t)kind - ONE_LINE;
        for (; units != 0 && unit < code->units; units--)
            code->lines[unit++] = kind == NONE ? 0 : line;
        while (at < end && !(*at & 128))
            at++;
    }
}

static bool copy_lines(sp_code_copy *code, const PyObject *table)
{
    PyVarObject head;
    if (!sp_peek(&head, table, sizeof head) || head.ob_base.ob_type != &PyBytes_Type
        || head.ob_size < 0 || head.ob_size > TABLE_AT_MOST)
        return false;
    uint8_t *bytes = malloc((size_t)head.ob_size + 1);
    code->lines = calloc(code->units + 1, sizeof *code->lines);
    bool read = bytes != NULL && code->lines != NULL
                && sp_peek(bytes, (const char *)table + offsetof(PyBytesObject, ob_sval),
                           (size_t)head.ob_size);
    if (read)
        read_lines(code, bytes, bytes + head.ob_size);
    free(bytes);
    return read;
}

static void free_code(sp_code_copy *code)
{
    free(code->lines);
    free(code->file_text.characters);
    free(code->name_text.characters);
}

/* ---- Code objects ----------------------------------------------------------------------------- */

static bool is_same(const sp_code_copy *code, const PyCodeObject *header)
{
    return code->file == header->co_filename && code->name == header->co_qualname
           && code->table == header->co_linetable && code->first_line == header->co_firstlineno
           && (Py_ssize_t)code->units == header->ob_base.ob_size;
}

static uint32_t add(sp_code_copies *copies, const PyCodeObject *header)
{
    void *array = copies->codes;
    if (copies->count == SP_CODES_AT_MOST
        || !sp_room_for_one(&array, sizeof *copies->codes, copies->count, &copies->capacity))
        return SP_NO_CODE;
    copies->codes = array;
    sp_code_copy code = {
        .file = header->co_filename,
        .name = header->co_qualname,
        .table = header->co_linetable,
        .first_line = header->co_firstlineno,
        .units = (uint32_t)header->ob_base.ob_size,
    };
    if (!copy_text(&code.file_text, header->co_filename)
        || !copy_text(&code.name_text, header->co_qualname)
        || !copy_lines(&code, header->co_linetable)) {
        free_code(&code);
        return SP_NO_CODE;
    }
    copies->codes[copies->count] = code;
    return copies->count++;
}

uint32_t sp_code_number(sp_code_copies *copies, const void *address, const PyCodeObject *header)
{
    if (header->ob_base.ob_base.ob_type != &PyCode_Type || header->ob_base.ob_size < 0
        || header->ob_base.ob_size > UNITS_AT_MOST)
        return SP_NO_CODE;
    uint32_t *number = sp_number_find(&copies->numbers, (uintptr_t)address, 0);
    if (number != NULL && is_same(&copies->codes[*number], header))
        return *number;
    uint32_t added = add(copies, header);
    if (added == SP_NO_CODE)
        return SP_NO_CODE;
    if (number != NULL)
        *number = added;
    else if (!sp_number_add(&copies->numbers, (uintptr_t)address, 0, added))
        return SP_NO_CODE;
    return added;
}

int32_t sp_code_line(const sp_code_copy *code, int64_t position)
{
    while (position > 0 && position < code->units && code->lines[position] == 0)
        position--;
    if (position < 0 || position >= code->units || code->lines[position] == 0)
        return code->first_line;
    return code->lines[position];
}

static PyObject *text_of(const sp_text_copy *copy)
{
    PyObject *text = PyUnicode_FromKindAndData(copy->kind, copy->characters, copy->length);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear(); /* it was overwritten while it was copied */
        text = PyUnicode_FromString("?");
    }
    return text;
}

PyObject *sp_code_tuple(const sp_code_copy *code)
{
    PyObject *file = text_of(&code->file_text), *name = text_of(&code->name_text), *tuple = NULL;
    if (file != NULL && name != NULL)
        tuple = Py_BuildValue("(OOi)", file, name, (int)code->first_line);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return tuple;
}

void sp_code_copies_free(sp_code_copies *copies)
{
    for (uint32_t i = 0; i < copies->count; i++)
        free_code(&copies->codes[i]);
    free(copies->codes);
    sp_number_table_free(&copies->numbers);
    *copies = (sp_code_copies){0};
}
