#include "counters/quantities.h"

static uint32_t find(const sp_quantities *quantities, PyObject *name)
{
    for (uint32_t i = 0; i < quantities->count; i++) {
        if (PyUnicode_Compare(quantities->names[i], name) == 0)
            return i;
    }
    return SP_NO_QUANTITY;
}

uint32_t sp_quantity_of(sp_quantities *quantities, PyObject *name)
{
    uint32_t number = sp_quantity_known(quantities, name);
    if (SP_LIKELY(number != SP_NO_QUANTITY))
        return number;
    PyObject *text = PyUnicode_FromObject(name); /* a str subclass becomes a str */
    if (text == NULL)
        return SP_NO_QUANTITY;
    if (SP_LOAD(&quantities->count) < SP_QUANTITIES) /* on 3.12 such texts stay for ever */
        PyUnicode_InternInPlace(&text);              /* the object that the source has */
    SP_LOCK(&quantities->lock);
    number = find(quantities, text);
    if (number == SP_NO_QUANTITY && quantities->count < SP_QUANTITIES) {
        number = quantities->count;
        quantities->names[number] = Py_NewRef(text);
        SP_STORE(&quantities->count, number + 1);
    }
    SP_UNLOCK(&quantities->lock);
    Py_DECREF(text);
    return number;
}

void sp_quantities_free(sp_quantities *quantities)
{
    for (uint32_t i = 0; i < quantities->count; i++)
        Py_DECREF(quantities->names[i]);
    quantities->count = 0;
}
