#include "record/registry.h"

#include "base/heap.h"
#include "base/thread_guard.h"

/* ---- Finding ----------------------------------------------------------------------------- */

static int raise_bad_name(PyObject *name)
{
    if (!PyUnicode_Check(name))
        PyErr_Format(PyExc_TypeError, "region_name must be a non-empty str, got %.200s: %R",
                     Py_TYPE(name)->tp_name, name);
    else if (PyUnicode_GET_LENGTH(name) == 0)
        PyErr_SetString(PyExc_ValueError, "region_name must be a non-empty str, got ''");
    else
        PyErr_Format(PyExc_ValueError,
                     "region_name must be a str that UTF-8 can encode, got %R", name);
    return -1;
}

/* The UTF-8 text of a valid name; NULL with an exception that names the argument. */
static const char *name_text(PyObject *name, Py_ssize_t *length)
{
    const char *text = NULL;
    if (PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) != 0) {
        text = PyUnicode_AsUTF8AndSize(name, length);
        if (text == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return NULL;
        if (text == NULL)
            PyErr_Clear();
    }
    if (text == NULL)
        raise_bad_name(name);
    return text;
}

static unsigned name_hash(PyObject *name)
{
    return (unsigned)PyUnicode_Type.tp_hash(name); /* a subclass may have another */
}

sp_region *sp_manager_find(sp_manager *manager, PyObject *name)
{
    Py_ssize_t length = 0;
    const char *text = name_text(name, &length);
    if (text == NULL)
        return NULL;
    SP_LOCK(&manager->lock);
    sp_region *region = sp_names_get(&manager->names, text, (size_t)length, name_hash(name));
    SP_UNLOCK(&manager->lock);
    return region;
}

/* ---- Making ------------------------------------------------------------------------------ */

/* Room for one more region; false when memory is out. */
static bool reserve_region(sp_manager *manager)
{
    if (manager->region_count < manager->region_capacity)
        return true;
    uint32_t capacity = manager->region_capacity == 0 ? 16 : 2 * manager->region_capacity;
    sp_region **regions = sp_realloc(manager->regions, capacity * sizeof *regions);
    if (regions == NULL)
        return false;
    manager->regions = regions;
    manager->region_capacity = capacity;
    return true;
}

sp_region *sp_manager_add_region(sp_manager *manager, sp_region *region)
{
    Py_ssize_t length = 0;
    const char *text = name_text(region->name, &length);
    unsigned hash = name_hash(region->name);
    sp_stop_threads();
    SP_LOCK(&manager->lock);
    sp_region *found = sp_names_get(&manager->names, text, (size_t)length, hash);
    if (found == NULL && reserve_region(manager)
        && sp_names_add(&manager->names, text, (size_t)length, hash, region) == 0) {
        region->id = manager->region_count;
        manager->regions[manager->region_count++] = (sp_region *)Py_NewRef(region);
        sp_region_switch(region);
        if (manager->permanent)
            sp_region_make_permanent(region);
        found = region;
    }
    SP_UNLOCK(&manager->lock);
    sp_resume_threads();
    if (found == NULL)
        PyErr_NoMemory();
    return found;
}

void sp_manager_remember(sp_manager *manager, PyObject *name, sp_region *region)
{
    SP_LOCK(&manager->lock);
    PyObject *before = sp_name_cache_put(&manager->cache, name, region, manager->region_count);
    SP_UNLOCK(&manager->lock);
    Py_XDECREF(before);
}

/* ---- Forgetting -------------------------------------------------------------------------- */

#ifdef Py_GIL_DISABLED

/* References are counted in several places here, so nobody knows who holds a region; and names are looked
 * up meanwhile. */
sp_left_regions sp_manager_leave_regions(sp_manager *manager)
{
    (void)manager;
    return (sp_left_regions){0};
}

#else

/* Whether anybody holds the region but the manager and its own __enter__ and __exit__, where it has them, or
 * holds one of these two. */
static bool is_held(const sp_region *region)
{
    const PyObject *callables[] = {region->enter, region->leave};
    Py_ssize_t ours = 1;
    for (int i = 0; i < 2; i++) {
        if (callables[i] != NULL && Py_REFCNT(callables[i]) != 1)
            return true;
        ours += callables[i] != NULL;
    }
    return region->decided || region->weakrefs != NULL || Py_REFCNT(region) != ours;
}

/* Take the region out of the names. */
static void leave_name(sp_manager *manager, const sp_region *region)
{
    Py_ssize_t length = 0;
    const char *text = name_text(region->name, &length);
    sp_names_pop(&manager->names, text, (size_t)length, name_hash(region->name));
}

/* Give back what the list takes beyond its regions. */
static void shrink(sp_manager *manager)
{
    uint32_t capacity = manager->region_count < 16 ? 16 : manager->region_count;
    if (capacity >= manager->region_capacity)
        return;
    sp_region **regions = sp_realloc(manager->regions, capacity * sizeof *regions);
    if (regions == NULL)
        return;
    manager->regions = regions;
    manager->region_capacity = capacity;
}

sp_left_regions sp_manager_leave_regions(sp_manager *manager)
{
    sp_left_regions left = {0};
    sp_region **unheld = sp_malloc((manager->region_count + 1) * sizeof *unheld);
    if (unheld == NULL || manager->lent != 0) { /* they are forgotten another time */
        sp_free(unheld);
        return left;
    }
    left.regions = unheld;
    sp_name_cache_free(&manager->cache);
    uint32_t count = manager->region_count;
    manager->region_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        sp_region *region = manager->regions[i];
        if (!is_held(region)) {
            leave_name(manager, region);
            left.regions[left.count++] = region;
            continue;
        }
        region->decided = false;
        region->id = manager->region_count;
        manager->regions[manager->region_count++] = region;
    }
    shrink(manager);
    return left;
}

#endif

void sp_left_regions_free(sp_left_regions *left)
{
    for (uint32_t i = 0; i < left->count; i++)
        sp_region_release(left->regions[i]);
    sp_free(left->regions);
}
