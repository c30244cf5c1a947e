#include "python/region_type.h"

#include "base/heap.h"
#include "base/thread_guard.h"
#include "calls/plain_decision.h"
#include "lines/lines.h"
#include "python/counting.h"
#include "python/enter_exit.h"
#include "python/twin.h"
#include "record/registry.h"

/* ---- Making ------------------------------------------------------------------------------ */

/* Where a region stands. */
typedef struct {
    PyObject *file; /* a str or None. Borrowed. */
    int line;       /* 0 when unknown */
} place;

/* It stands where it is first asked for. */
static void locate_here(sp_region *region)
{
    PyFrameObject *running = PyEval_GetFrame();
    if (running == NULL)
        return;
    PyCodeObject *code = PyFrame_GetCode(running);
    region->source_file = Py_NewRef(code->co_filename);
    region->source_line = PyFrame_GetLineNumber(running);
    Py_DECREF(code);
}

static void locate(sp_region *region, const place *stands, PyObject *text)
{
    PyObject *self = (PyObject *)region, *file = stands->file;
    sp_field_set(self, &region->source_text, text == Py_None ? NULL : Py_NewRef(text));
    sp_field_set(self, &region->source_file, file == Py_None ? NULL : Py_NewRef(file));
    region->source_line = stands->line;
}

/* Of a function, which says where it stands, hardly any is ever a block: what `with` calls is made when it
 * is looked up. Without the GIL several may do that. */
#ifdef Py_GIL_DISABLED
enum { NO_GIL = 1 };
#else
enum { NO_GIL = 0 };
#endif

static sp_region *new_region(sp_manager *manager, PyObject *name, const place *stands)
{
    PyTypeObject *type = manager->region_type;
    sp_region *region = (sp_region *)type->tp_alloc(type, 0);
    if (region == NULL)
        return NULL;
    region->manager = (sp_manager *)Py_NewRef(manager);
    region->name = Py_NewRef(name);
    if (stands == NULL)
        locate_here(region);
    else
        locate(region, stands, Py_None);
    sp_region_switch(region);
    if ((stands == NULL || NO_GIL) && sp_enter_exit_make(region) < 0)
        Py_CLEAR(region);
    return region;
}

static sp_region *make_region(sp_manager *manager, PyObject *name, const place *stands)
{
    PyObject *exact = PyUnicode_FromObject(name); /* a str subclass becomes a str */
    if (exact == NULL)
        return NULL;
    sp_region *region = new_region(manager, exact, stands); /* calls Python: not under the lock */
    Py_DECREF(exact);
    if (region == NULL)
        return NULL;
    sp_region *published = sp_manager_add_region(manager, region);
    Py_DECREF(region); /* the table owns the one that is published */
    return published;
}

/* One that does not exist yet. stands: NULL for where it is first asked for. */
static sp_region *make(sp_manager *manager, PyObject *name, const place *stands)
{
    sp_own_memory_begin();
    sp_region *region = make_region(manager, name, stands);
    sp_own_memory_end();
    return region;
}

static SP_NOINLINE sp_region *region_slow(sp_manager *manager, PyObject *name)
{
    sp_region *region = sp_manager_find(manager, name);
    if (region == NULL && !PyErr_Occurred())
        region = make(manager, name, NULL);
    if (region != NULL)
        sp_manager_remember(manager, name, region);
    return region;
}

sp_region *sp_region_of(sp_manager *manager, PyObject *name)
{
    sp_region *region = sp_name_cache_get(&manager->cache, name);
    return SP_LIKELY(region != NULL) ? region : region_slow(manager, name);
}

static bool is_place(PyObject *file, PyObject *text)
{
    if ((file == Py_None || PyUnicode_Check(file)) && (text == Py_None || PyUnicode_Check(text)))
        return true;
    PyErr_SetString(PyExc_TypeError,
                    "a region is located by a file and a text that are str or None");
    return false;
}

const char sp_region_at_doc[] =
    "_region_at(name, file, line)\n--\n\n"
    "The region of that name, made when it does not exist yet, which stands there: a str or None, an int.";

PyObject *sp_region_at(PyObject *self, PyObject *args)
{
    sp_manager *manager = (sp_manager *)self;
    PyObject *name;
    place stands;
    if (!PyArg_ParseTuple(args, "OOi:_region_at", &name, &stands.file, &stands.line)
        || !is_place(stands.file, Py_None))
        return NULL;
    sp_region *region = sp_manager_find(manager, name);
    if (region != NULL)
        locate(region, &stands, Py_None);
    else if (!PyErr_Occurred())
        region = make(manager, name, &stands);
    return Py_XNewRef((PyObject *)region);
}

static bool stands_there(sp_region *region, const place *there)
{
    PyObject *file = sp_field_get((PyObject *)region, &region->source_file);
    bool does = region->source_line == there->line && PyUnicode_Check(file)
                && PyUnicode_Compare(file, there->file) == 0;
    Py_DECREF(file);
    return does;
}

/* Whether no function that stands elsewhere has its name, which is this one's from now on. */
static bool takes(sp_region *region, const place *stands)
{
    bool was_free;
    SP_BEGIN_CRITICAL_SECTION((PyObject *)region);
    was_free = !region->of_function;
    region->of_function = true;
    SP_END_CRITICAL_SECTION();
    if (was_free && !stands_there(region, stands))
        locate(region, stands, Py_None);
    return was_free || stands_there(region, stands);
}

static sp_region *region_of_function(sp_manager *manager, PyObject *name, PyObject *file,
                                     int line)
{
    place stands = {file, line};
    sp_region *region = sp_manager_find(manager, name);
    if (region == NULL && !PyErr_Occurred())
        region = make(manager, name, &stands);
    return region != NULL && takes(region, &stands) ? region : NULL;
}

const char sp_region_of_function_doc[] =
    "_region_of_function(name, file, line)\n--\n\n"
    "The region of the traced function that stands there: that of the name, made when it does not exist yet, or "
    "None when another function has the name.";

PyObject *sp_region_of_function(PyObject *manager, PyObject *args)
{
    PyObject *name, *file;
    int line;
    if (!PyArg_ParseTuple(args, "OUi:_region_of_function", &name, &file, &line))
        return NULL;
    sp_region *region = region_of_function((sp_manager *)manager, name, file, line);
    if (region == NULL && PyErr_Occurred())
        return NULL;
    return Py_NewRef(region == NULL ? Py_None : (PyObject *)region);
}

void sp_region_init(void) { sp_plain_region = region_of_function; }

/* ---- The type ---------------------------------------------------------------------------- */

static PyObject *region_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyErr_Format(PyExc_TypeError,
                 "%s objects are not made directly: ask ProfileManager.profile_region(name)",
                 type->tp_name);
    return NULL;
}

static int region_traverse(PyObject *self, visitproc visit, void *arg)
{
    sp_region *region = (sp_region *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(region->manager);
    Py_VISIT(region->enter);
    Py_VISIT(region->leave);
    return 0;
}

/* The manager stays: __enter__, __exit__ and the tree use it as long as the region lives. The cycle with
 * the manager is broken on its side. */
static int region_clear(PyObject *self)
{
    Py_CLEAR(((sp_region *)self)->enter);
    Py_CLEAR(((sp_region *)self)->leave);
    return 0;
}

static void region_dealloc(PyObject *self)
{
    sp_region *region = (sp_region *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (region->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    sp_lines_forget(region);
    region_clear(self);
    Py_XDECREF(region->manager);
    Py_XDECREF(region->name);
    Py_XDECREF(region->tags);
    Py_XDECREF(region->source_file);
    Py_XDECREF(region->source_text);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef region_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(sp_region, weakrefs), Py_READONLY, NULL},
    {"name", Py_T_OBJECT_EX, offsetof(sp_region, name), Py_READONLY, "The name of the region."},
    {"manager", Py_T_OBJECT_EX, offsetof(sp_region, manager), Py_READONLY,
     "The manager the region belongs to."},
    {NULL},
};

static PyObject *region_recording(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((sp_region *)self)->recording);
}

PyDoc_STRVAR(tag_doc,
"_tag(tags, enabled)\n--\n\nGive the region tags, a tuple of str; enabled: they let it record.");

static PyObject *region_tag(PyObject *self, PyObject *args)
{
    sp_region *region = (sp_region *)self;
    PyObject *tags;
    int enabled;
    if (!PyArg_ParseTuple(args, "O!p:_tag", &PyTuple_Type, &tags, &enabled))
        return NULL;
    sp_field_set(self, &region->tags, PyTuple_GET_SIZE(tags) == 0 ? NULL : Py_NewRef(tags));
    sp_stop_threads();
    bool was = region->recording;
    region->enabled = enabled;
    sp_region_switch(region);
    if (region->recording != was)
        sp_twin_switch(region->manager);
    sp_resume_threads();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(locate_doc,
"_locate(file, line, text=None)\n--\n\n"
"Say where it stands: a str or None, an int, 0 when unknown, and the text there, or None.");

static PyObject *region_locate(PyObject *self, PyObject *args)
{
    PyObject *text = Py_None;
    place stands;
    if (!PyArg_ParseTuple(args, "Oi|O:_locate", &stands.file, &stands.line, &text)
        || !is_place(stands.file, text))
        return NULL;
    locate((sp_region *)self, &stands, text);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    thin_doc,
    "_thin(keep_every, keep)\n--\n\n"
    "Keep the times of one call of so many, or of so many of all; 0 for what is not wanted, both: as the run\n"
    "has it.");

static PyObject *region_thin(PyObject *self, PyObject *args)
{
    sp_region *region = (sp_region *)self;
    unsigned keep_every, keep;
    if (!PyArg_ParseTuple(args, "II:_thin", &keep_every, &keep))
        return NULL;
    sp_stop_threads();
    region->keep_every = keep_every;
    region->keep = keep;
    sp_region_switch(region);
    sp_resume_threads();
    Py_RETURN_NONE;
}

static PyMethodDef region_methods[] = {
    {"add", (PyCFunction)(void (*)(void))sp_region_add, METH_FASTCALL | METH_KEYWORDS,
     sp_region_add_doc},
    {"_thin", region_thin, METH_VARARGS, thin_doc},
    {"_locate", region_locate, METH_VARARGS, locate_doc},
    {"_tag", region_tag, METH_VARARGS, tag_doc},
    {NULL},
};

static PyObject *get_tags(PyObject *self, void *unused)
{
    (void)unused;
    PyObject *tags = sp_field_get(self, &((sp_region *)self)->tags);
    if (tags == Py_None)
        Py_SETREF(tags, PyTuple_New(0));
    return tags;
}

static PyObject *get_source(PyObject *self, void *offset)
{
    return sp_field_get(self, (PyObject **)((char *)self + (size_t)offset));
}

static PyObject *get_source_line(PyObject *self, void *unused)
{
    int line = ((sp_region *)self)->source_line;
    (void)unused;
    if (line == 0)
        Py_RETURN_NONE;
    return PyLong_FromLong(line);
}

static PyObject *get_thinning(PyObject *self, void *unused)
{
    const sp_region *region = (const sp_region *)self;
    (void)unused;
    return Py_BuildValue("(II)", region->keep_every, region->keep);
}

static PyGetSetDef region_getset[] = {
    {"_thinning", get_thinning, NULL, "(keep_every, keep) of its own, 0 for what it has not.",
     NULL},
    {"tags", get_tags, NULL, "What it is switched on and off by: a tuple of str.", NULL},
    {"source_file", get_source, NULL, "The file it stands in: a str, or None.",
     (void *)offsetof(sp_region, source_file)},
    {"_source_text", get_source, NULL, "What set_source() was given: a str or None.",
     (void *)offsetof(sp_region, source_text)},
    {"source_lineno", get_source_line, NULL, "The line it begins on: an int, or None.", NULL},
    {"_recording", region_recording, NULL, "Whether calls are recorded now.", NULL},
    {NULL},
};

static PyType_Slot region_slots[] = {
    {Py_tp_new, region_new},
    {Py_tp_traverse, region_traverse},
    {Py_tp_clear, region_clear},
    {Py_tp_dealloc, region_dealloc},
    {Py_tp_methods, region_methods},
    {Py_tp_members, region_members},
    {Py_tp_getset, region_getset},
    {0, NULL},
};

PyType_Spec sp_region_spec = {
    .name = "scope_profiler._core.Region",
    .basicsize = sizeof(sp_region),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = region_slots,
};
