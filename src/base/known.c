#include "base/known.h"

void sp_known_free(sp_known *known)
{
    sp_known_table *table = known->table;
    known->table = NULL;
    while (table != NULL) {
        sp_known_table *smaller = table->smaller;
        for (size_t i = 0; i < (size_t)1 << table->bits; i++) {
            for (int way = 0; way < SP_KNOWN_WAYS; way++)
                Py_XDECREF(table->lines[i].slots[way].name);
        }
        PyMem_RawFree(table);
        table = smaller;
    }
}

/* The new table is empty: what is still used comes into it by and by. */
static void replace(sp_known *known, unsigned bits)
{
    const uintptr_t line = sizeof(sp_known_line);
    sp_known_table *table = PyMem_RawCalloc(1, sizeof *table + line + (line << bits));
    if (table == NULL)
        return;
    table->lines = (sp_known_line *)(((uintptr_t)(table + 1) + line - 1) & ~(line - 1));
    table->bits = bits;
#ifdef Py_GIL_DISABLED
    table->smaller = known->table;
#else
    sp_known_free(known); /* nobody reads it */
#endif
    SP_STORE(&known->table, table);
}

/* Twice as many lines when there is one for each region, so that next to none is full; within reason. */
static void grow(sp_known *known, size_t regions)
{
    enum { FEWEST = 2, MOST = 18 };
    unsigned bits = known->table == NULL ? 0 : known->table->bits;
    if (bits == 0)
        replace(known, FEWEST);
    else if (regions >= (size_t)1 << bits && bits < MOST)
        replace(known, bits + 1);
}

/* A free slot, or any. */
static sp_known_slot *slot_for(const sp_known_table *table, const PyObject *name)
{
    sp_known_slot *slots = sp_known_slots(table, name);
    for (int way = 0; way < SP_KNOWN_WAYS; way++) {
        if (slots[way].name == NULL)
            return &slots[way];
    }
    return &slots[((uintptr_t)name >> 6) % SP_KNOWN_WAYS];
}

PyObject *sp_known_put(sp_known *known, PyObject *name, struct sp_region *region, size_t regions)
{
    /* A name that nobody else holds, made for this call, is not met again. */
    if (!PyUnicode_CheckExact(name) || Py_REFCNT(name) < 2)
        return NULL;
    grow(known, regions);
    if (known->table == NULL)
        return NULL;
    sp_known_slot *slot = slot_for(known->table, name);
    PyObject *before = slot->name;
    SP_STORE(&slot->name, NULL);
    SP_STORE(&slot->region, region);
    SP_STORE(&slot->name, Py_NewRef(name));
    return before;
}
