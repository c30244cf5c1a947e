#include "base/known.h"

void sp_known_free(sp_known *known)
{
    sp_known_table *table = known->table;
    known->table = NULL;
    while (table != NULL) {
        sp_known_table *smaller = table->smaller;
        for (size_t i = 0; i <= table->mask; i++)
            Py_XDECREF(table->slots[i].name);
        PyMem_RawFree(table);
        table = smaller;
    }
}

/* The new table is empty: what is still used comes into it by and by. */
static void replace(sp_known *known, size_t slots)
{
    sp_known_table *table = PyMem_RawCalloc(1, sizeof *table + slots * sizeof *table->slots);
    if (table == NULL)
        return;
    table->mask = slots - 1;
#ifdef Py_GIL_DISABLED
    table->smaller = known->table;
#else
    sp_known_free(known); /* nobody reads it */
#endif
    SP_STORE(&known->table, table);
}

/* Twice as many when they are half full, within reason. */
static void grow(sp_known *known, size_t regions)
{
    enum { FEWEST = 16, MOST = 1 << 20 };
    size_t now = known->table == NULL ? 0 : known->table->mask + 1;
    size_t wanted = now == 0 ? FEWEST : 2 * now;
    if (regions >= now / 2 && wanted <= MOST)
        replace(known, wanted);
}

PyObject *sp_known_put(sp_known *known, PyObject *name, struct sp_region *region, size_t regions)
{
    /* A name that nobody else holds, made for this call, is not met again. */
    if (!PyUnicode_CheckExact(name) || Py_REFCNT(name) < 2)
        return NULL;
    grow(known, regions);
    if (known->table == NULL)
        return NULL;
    sp_known_slot *slot = &known->table->slots[sp_known_place(known->table, name)];
    PyObject *before = slot->name;
    SP_STORE(&slot->name, NULL);
    SP_STORE(&slot->region, region);
    SP_STORE(&slot->name, Py_NewRef(name));
    return before;
}
