#include "known.h"

void sp_known_free(sp_known *known)
{
    sp_known_slot *slots = known->slots;
    size_t count = slots == NULL ? 0 : known->mask + 1;
    *known = (sp_known){0};
    for (size_t i = 0; i < count; i++)
        Py_XDECREF(slots[i].name);
    PyMem_RawFree(slots);
}

#ifdef Py_GIL_DISABLED

void sp_known_put(sp_known *known, PyObject *name, struct sp_region *region, size_t regions)
{
    (void)known, (void)name, (void)region, (void)regions;
}

#else

/* Twice as many when they are half full, within reason. */
static void grow(sp_known *known, size_t regions)
{
    enum { FEWEST = 16, MOST = 1 << 20 };
    size_t now = known->slots == NULL ? 0 : known->mask + 1;
    size_t wanted = now == 0 ? FEWEST : 2 * now;
    if (regions < now / 2 || wanted > MOST)
        return;
    sp_known_slot *slots = PyMem_RawCalloc(wanted, sizeof *slots);
    if (slots == NULL)
        return;
    sp_known_free(known);
    *known = (sp_known){slots, wanted - 1};
}

void sp_known_put(sp_known *known, PyObject *name, struct sp_region *region, size_t regions)
{
    /* A name that nobody else holds, made for this call, is not met again. */
    if (!PyUnicode_CheckExact(name) || Py_REFCNT(name) < 2)
        return;
    grow(known, regions);
    if (known->slots == NULL)
        return;
    sp_known_slot *slot = sp_known_slot_of(known, name);
    slot->region = region;
    Py_XSETREF(slot->name, Py_NewRef(name));
}

#endif
