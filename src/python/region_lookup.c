#include "python/region_lookup.h"

#include "python/region_type.h"
#include "record/registry.h"
#include "record/open_call.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    sp_manager *manager; /* Owned; a cycle, broken by the manager. */
} RegionLookup;

/* What help() prints: for an object that is no function it takes the repr and its own text. */
#define LOOKUP_SIGNATURE                                                                         \
    "region(region_name, functions=None, tags=None, keep_every=None, keep=None)"
static const char lookup_doc[] =
    "The Region of that name, made when it does not exist yet: a context manager that times what runs\n"
    "inside it, and can be used again.\n\n"
    "region_name: a non-empty str.\n"
    "functions: in line mode, functions whose lines count while the region is open.\n"
    "tags: one str or several, by which regions are switched on and off: see setup(region_tags=,\n"
    "    enable_tags=).\n"
    "keep_every: of how many calls in a thread one is kept with start and end; keep: how many of all, a random\n"
    "    sample. Statistics are of all calls. None for both: as the run has it.\n\n"
    "    with region(\"solve\"):\n"
    "        ...\n\n"
    "TypeError or ValueError when an argument is not that, ValueError when the region has other tags\n"
    "or keeps others already.";

enum { NAME, FUNCTIONS, TAGS, KEEP_EVERY, KEEP, PARAMETERS };
static const char *const parameters[PARAMETERS] = {"region_name", "functions", "tags",
                                                   "keep_every", "keep"};

/* Put one keyword argument in its place; -1 with an exception when there is none. */
static int place(PyObject *name, PyObject *value, PyObject *given[PARAMETERS])
{
    for (int i = 0; i < PARAMETERS; i++) {
        if (PyUnicode_CompareWithASCIIString(name, parameters[i]) != 0)
            continue;
        if (given[i] == NULL) {
            given[i] = value;
            return 0;
        }
        PyErr_Format(PyExc_TypeError, "profile_region() got %R twice", name);
        return -1;
    }
    PyErr_Format(PyExc_TypeError,
                 "profile_region() got an unexpected keyword argument %R; it takes region_name, "
                 "functions, tags, keep_every and keep",
                 name);
    return -1;
}

static int parse(PyObject *const *args, Py_ssize_t nargs, PyObject *names,
                 PyObject *given[PARAMETERS])
{
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < nargs && i < KEEP_EVERY; i++)
        given[i] = args[i];
    for (Py_ssize_t i = 0; i < named; i++) {
        if (place(PyTuple_GET_ITEM(names, i), args[nargs + i], given) < 0)
            return -1;
    }
    if (given[NAME] == NULL || nargs > KEEP_EVERY) {
        PyErr_Format(PyExc_TypeError,
                     "profile_region() takes region_name, functions, tags, keep_every and keep; "
                     "got %zd arguments",
                     nargs + named);
        return -1;
    }
    return 0;
}

/* Have the Python part of the manager apply what is not a name. */
static int apply(sp_manager *manager, const char *method, sp_region *region, PyObject *value)
{
    if (value == NULL || value == Py_None)
        return 0;
    PyObject *result = PyObject_CallMethod((PyObject *)manager, method, "OO", region, value);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *or_none(PyObject *given) { return given == NULL ? Py_None : given; }

/* What is given for a region that does not exist yet is checked before it is made; (functions, tags),
 * each a tuple or None, a new reference. */
static PyObject *check(sp_manager *manager, PyObject *const given[PARAMETERS])
{
    return PyObject_CallMethod((PyObject *)manager, "_check_region", "OOOO",
                               or_none(given[FUNCTIONS]), or_none(given[TAGS]),
                               or_none(given[KEEP_EVERY]), or_none(given[KEEP]));
}

static bool is_number(uint32_t own, PyObject *given)
{
    if (given == NULL || given == Py_None)
        return own == 0;
    int overflow = 0;
    return PyLong_CheckExact(given) && PyLong_AsLongAndOverflow(given, &overflow) == (long)own;
}

static int thin(sp_manager *manager, sp_region *region, PyObject *const given[PARAMETERS])
{
    PyObject *every = or_none(given[KEEP_EVERY]), *keep = or_none(given[KEEP]);
    if ((every == Py_None && keep == Py_None)
        || (is_number(region->keep_every, every) && is_number(region->keep, keep)))
        return 0;
    PyObject *result =
        PyObject_CallMethod((PyObject *)manager, "_set_thinning", "OOO", region, every, keep);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static bool is_same_text(PyObject *a, PyObject *b)
{
    return a == b || (PyUnicode_CheckExact(a) && PyUnicode_CheckExact(b)
                      && PyUnicode_GET_LENGTH(a) == PyUnicode_GET_LENGTH(b)
                      && PyUnicode_Compare(a, b) == 0);
}

/* Whether a tuple or list has the same tags as a tuple. */
static bool are_same_tags(PyObject *own, PyObject *given)
{
    if (PySequence_Fast_GET_SIZE(given) != PyTuple_GET_SIZE(own))
        return false;
    PyObject **items = PySequence_Fast_ITEMS(given);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(own); i++) {
        if (!is_same_text(PyTuple_GET_ITEM(own, i), items[i]))
            return false;
    }
    return true;
}

/* Whether the given tags, in any form, are the region's own, a tuple. False when only Python could
 * answer that. */
static bool are_tags(PyObject *own, PyObject *given)
{
    if (given == own)
        return true;
    if (!PyTuple_CheckExact(own))
        return false;
    if (PyUnicode_CheckExact(given))
        return PyTuple_GET_SIZE(own) == 1 && is_same_text(PyTuple_GET_ITEM(own, 0), given);
    bool same = PyTuple_CheckExact(given) && are_same_tags(own, given);
    if (PyList_CheckExact(given)) {
        SP_BEGIN_CRITICAL_SECTION(given);
        same = are_same_tags(own, given);
        SP_END_CRITICAL_SECTION();
    }
    return same;
}

static bool has_tags(sp_region *region, PyObject *given)
{
    PyObject *own = sp_field_get((PyObject *)region, &region->tags);
    bool same = own != Py_None && are_tags(own, given);
    Py_DECREF(own);
    return same;
}

static PyObject *open_with_given(sp_manager *manager, PyObject *const given[PARAMETERS])
{
    sp_region *region = (sp_region *)Py_XNewRef(sp_region_of(manager, given[NAME]));
    if (region != NULL
        && ((given[TAGS] != NULL && !has_tags(region, given[TAGS])
             && apply(manager, "_set_tags", region, given[TAGS]) < 0)
            || thin(manager, region, given) < 0
            || apply(manager, "_add_functions", region, given[FUNCTIONS]) < 0))
        Py_CLEAR(region);
    return (PyObject *)region;
}

static SP_NOINLINE PyObject *open_with(sp_manager *manager, PyObject *const *args,
                                       Py_ssize_t nargs, PyObject *names)
{
    PyObject *given[PARAMETERS] = {NULL};
    if (parse(args, nargs, names, given) < 0)
        return NULL;
    const sp_region *exists = sp_manager_find(manager, given[NAME]);
    if (exists == NULL && PyErr_Occurred())
        return NULL;
    PyObject *checked = exists == NULL ? check(manager, given) : NULL;
    if (exists == NULL && checked == NULL)
        return NULL;
    if (checked != NULL) {
        given[FUNCTIONS] = PyTuple_GET_ITEM(checked, 0);
        given[TAGS] = PyTuple_GET_ITEM(checked, 1);
    }
    PyObject *region = open_with_given(manager, given);
    Py_XDECREF(checked);
    return region;
}

/* What `with` reads next comes from memory at the same time, not one thing after the other, where
 * there are so many regions that they are not in the cache. */
SP_INLINE void expect_entry(const sp_region *region)
{
    SP_PREFETCH(region->enter);
    SP_PREFETCH(region->leave);
    sp_node_fetch(region->last.node);
}

static SP_APART PyObject *lookup_call_slow(sp_manager *manager, PyObject *const *args,
                                           Py_ssize_t nargs, PyObject *names)
{
    if (nargs == 1 && names == NULL)
        return Py_XNewRef((PyObject *)sp_region_of(manager, args[0]));
    if (nargs == 1 && PyTuple_GET_SIZE(names) == 1
        && PyTuple_GET_ITEM(names, 0) == manager->state->tags_name) {
        sp_region *region = sp_name_cache_get(&manager->cache, args[0]);
        if (SP_LIKELY(region != NULL && has_tags(region, args[1])))
            return Py_NewRef(region);
    }
    return open_with(manager, args, nargs, names);
}

static PyObject *lookup_call(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *names)
{
    sp_manager *manager = ((RegionLookup *)self)->manager;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    sp_open_call_did(manager, SP_LOOKUP);
    if (SP_LIKELY(nargs == 1 && names == NULL)) {
        sp_region *region = sp_name_cache_get(&manager->cache, args[0]);
        if (SP_LIKELY(region != NULL)) {
            expect_entry(region);
            return Py_NewRef((PyObject *)region);
        }
    }
    return lookup_call_slow(manager, args, nargs, names);
}

static int lookup_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((RegionLookup *)self)->manager);
    return 0;
}

static void lookup_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((RegionLookup *)self)->manager);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *lookup_text(PyObject *self, void *text)
{
    (void)self;
    return PyUnicode_FromString(text);
}

static PyObject *lookup_repr(PyObject *self)
{
    (void)self;
    return PyUnicode_FromString(LOOKUP_SIGNATURE);
}

/* What inspect.signature() looks for in an object that is no function. */
static PyObject *lookup_signature(PyObject *self, void *unused)
{
    PyObject *module, *signature = NULL;
    (void)self, (void)unused;
    module = PyImport_ImportModule("scope_profiler._instrument.regions");
    if (module != NULL)
        signature = PyObject_CallMethod(module, "_signature_of_lookup", NULL);
    Py_XDECREF(module);
    return signature;
}

static PyGetSetDef lookup_getset[] = {
    {"__name__", lookup_text, NULL, NULL, "profile_region"},
    {"__qualname__", lookup_text, NULL, NULL, "ProfileManager.profile_region"},
    {"__module__", lookup_text, NULL, NULL, "scope_profiler"},
    {"__doc__", lookup_text, NULL, NULL, (void *)lookup_doc},
    {"__signature__", lookup_signature, NULL, NULL, NULL},
    {NULL},
};

static PyMemberDef lookup_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(RegionLookup, vectorcall), Py_READONLY, NULL},
    {"__self__", Py_T_OBJECT_EX, offsetof(RegionLookup, manager), Py_READONLY, "The manager."},
    {NULL},
};

static PyType_Slot lookup_slots[] = {
    {Py_tp_repr, lookup_repr},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, lookup_traverse},
    {Py_tp_dealloc, lookup_dealloc},
    {Py_tp_getset, lookup_getset},
    {Py_tp_members, lookup_members},
    {0, NULL},
};

PyType_Spec sp_region_lookup_spec = {
    .name = "scope_profiler._core.profile_region",
    .basicsize = sizeof(RegionLookup),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lookup_slots,
};

PyObject *sp_region_lookup_of(PyObject *self, void *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    if (SP_UNLIKELY(manager->lookup == NULL)) {
        PyTypeObject *type = manager->state->region_lookup_type;
        RegionLookup *lookup = (RegionLookup *)type->tp_alloc(type, 0);
        if (lookup == NULL)
            return NULL;
        lookup->vectorcall = lookup_call;
        lookup->manager = (sp_manager *)Py_NewRef(manager);
        manager->lookup = (PyObject *)lookup;
    }
    return Py_NewRef(manager->lookup);
}
