#include "line_tables.h"

#include "region.h"

/* What all threads share. It names code objects and regions, which live longer than their
 * entries here: codes are owned, regions call sp_lines_forget() when they die. */
static struct {
    sp_map codes;          /* code -> sp_line_code */
    sp_map sets;           /* (outer set, region) -> sp_line_set */
    sp_line_table *tables; /* of all threads */
    uint64_t lost;
    sp_mutex lock;
} all;

uint64_t sp_line_tables_lost(void) { return all.lost; }

/* ---- Sets -------------------------------------------------------------------------------- */

static bool set_holds(const sp_line_set *set, const sp_region *region)
{
    for (; set != NULL; set = set->outer) {
        if (set->region == region)
            return true;
    }
    return false;
}

/* outer with the region; NULL when memory is out. */
static sp_line_set *set_with_locked(sp_line_set *outer, sp_region *region)
{
    if (set_holds(outer, region))
        return outer;
    sp_line_set *set = sp_map_get(&all.sets, outer, region);
    if (set == NULL && (set = PyMem_RawMalloc(sizeof *set)) != NULL) {
        *set = (sp_line_set){.outer = outer, .region = region};
        region->in_line_sets = true;
        if (sp_map_add(&all.sets, outer, region, set) < 0) {
            PyMem_RawFree(set);
            set = NULL;
        }
    }
    return set;
}

static sp_line_set *set_with(sp_line_set *outer, sp_region *region)
{
    SP_LOCK(&all.lock);
    sp_line_set *set = set_with_locked(outer, region);
    SP_UNLOCK(&all.lock);
    return set;
}

/* ---- Codes ------------------------------------------------------------------------------- */

static int read_offsets(PyObject *tuple, int **offsets, int *count)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    *offsets = PyMem_RawMalloc((size_t)(size + 1) * sizeof **offsets);
    if (*offsets == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        (*offsets)[i] = (int)PyLong_AsLong(PyTuple_GET_ITEM(tuple, i));
        if ((*offsets)[i] == -1 && PyErr_Occurred())
            return -1;
    }
    *count = (int)size;
    return 0;
}

/* What scope_profiler.lines.arm() said of the code: None when its lines are not wanted, else
 * (first line, last line, offsets of `with` statements, of one-line loops). */
static int read_plan(sp_line_code *entry, PyObject *plan)
{
    PyObject *withs, *loops;
    int last;
    if (plan == Py_None)
        return 0;
    if (!PyArg_ParseTuple(plan, "iiO!O!", &entry->first, &last, &PyTuple_Type, &withs,
                          &PyTuple_Type, &loops)
        || read_offsets(withs, &entry->withs, &entry->with_count) < 0
        || read_offsets(loops, &entry->loops, &entry->loop_count) < 0)
        return -1;
    entry->count = last - entry->first + 1;
    return 0;
}

static void code_free(sp_line_code *entry)
{
    Py_DECREF(entry->code);
    PyMem_RawFree(entry->withs);
    PyMem_RawFree(entry->loops);
    PyMem_RawFree(entry);
}

/* Python code of ours runs here, in the middle of the user's: no tool of his may see it, the
 * exception that may be under way must not be disturbed, and none of ours may come out. An
 * interruption is the user's, and raised again where it can be. */
static bool make_plan(sp_manager *manager, sp_line_code *entry)
{
    PyThreadState *state = PyThreadState_Get();
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyThreadState_EnterTracing(state);
    int collects = PyGC_Disable(); /* or callbacks of the user's would run untraced */
    PyObject *plan = PyObject_CallOneArg(manager->arm, (PyObject *)entry->code);
    if (collects)
        PyGC_Enable();
    PyThreadState_LeaveTracing(state);
    bool made = plan != NULL && read_plan(entry, plan) == 0;
    Py_XDECREF(plan);
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
    PyErr_Restore(type, value, traceback);
    return made;
}

/* A code object that is new. When its plan cannot be made now (the stack is nearly full, memory is
 * out), it stays new. */
static sp_line_code *code_meet(sp_manager *manager, PyCodeObject *code)
{
    if (manager->arm == NULL)
        return NULL;
    sp_line_code *entry = PyMem_RawCalloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->code = (PyCodeObject *)Py_NewRef(code);
    sp_line_code *found = NULL;
    if (make_plan(manager, entry)) {
        SP_LOCK(&all.lock);
        found = sp_map_get(&all.codes, code, NULL);
        if (found == NULL && sp_map_add(&all.codes, code, NULL, entry) == 0)
            found = entry;
        SP_UNLOCK(&all.lock);
    }
    if (found != entry)
        code_free(entry);
    return found;
}

sp_line_code *sp_line_code_get(sp_manager *manager, PyCodeObject *code)
{
    SP_LOCK(&all.lock);
    sp_line_code *entry = sp_map_get(&all.codes, code, NULL);
    SP_UNLOCK(&all.lock);
    return entry != NULL ? entry : code_meet(manager, code);
}

/* ---- Tables ------------------------------------------------------------------------------ */

static sp_line_table *table_of(sp_line_thread *here, sp_line_code *code, sp_line_set *set)
{
    sp_line_table *table = sp_map_get(&here->tables, code, set);
    if (table != NULL)
        return table;
    table = PyMem_RawCalloc(1, sizeof *table + (size_t)code->count * sizeof *table->cells);
    if (table == NULL || sp_map_add(&here->tables, code, set, table) < 0) {
        PyMem_RawFree(table);
        return NULL;
    }
    table->code = code;
    table->set = set;
    table->owner = here;
    SP_LOCK(&all.lock);
    table->next = all.tables;
    all.tables = table;
    SP_UNLOCK(&all.lock);
    return table;
}

sp_line_table *sp_line_table_get(sp_line_thread *here, sp_line_code *code, sp_line_set *outer,
                                 sp_region *region)
{
    sp_line_set *set = set_with(outer, region);
    return set == NULL ? NULL : table_of(here, code, set);
}

/* ---- Handing over ------------------------------------------------------------------------ */

typedef bool (*choice)(const sp_region *region, const void *argument);

/* The set without the regions that are left out; NULL when none stays (or memory is out). */
static sp_line_set *set_without(sp_line_set *set, choice leaves_out, const void *argument)
{
    if (set == NULL)
        return NULL;
    sp_line_set *outer = set_without(set->outer, leaves_out, argument);
    if (set->region == NULL || leaves_out(set->region, argument))
        return outer;
    return set_with_locked(outer, set->region);
}

/* The table of the code and set that no thread counts in. */
static sp_line_table *orphan_table(sp_line_code *code, sp_line_set *set)
{
    for (sp_line_table *table = all.tables; table != NULL; table = table->next) {
        if (table->owner == NULL && table->code == code && table->set == set)
            return table;
    }
    sp_line_table *table =
        PyMem_RawCalloc(1, sizeof *table + (size_t)code->count * sizeof *table->cells);
    if (table != NULL) {
        table->code = code;
        table->set = set;
        table->next = all.tables;
        all.tables = table;
    }
    return table;
}

/* What a table counted for other regions too goes on counting for them: it moves to a table of
 * their set, which no thread writes to. */
static void hand_over(const sp_line_table *table, choice leaves_out, const void *argument)
{
    sp_line_set *set = set_without(table->set, leaves_out, argument);
    if (set == NULL)
        return;
    sp_line_table *others = orphan_table(table->code, set);
    if (others == NULL) {
        all.lost++;
        return;
    }
    for (int i = 0; i < table->code->count; i++) {
        others->cells[i].hits += table->cells[i].hits;
        others->cells[i].ticks += table->cells[i].ticks;
    }
}

static bool is_region(const sp_region *region, const void *wanted) { return region == wanted; }

static bool is_of_manager(const sp_region *region, const void *manager)
{
    return region->manager == manager;
}

/* ---- Forgetting and resetting ------------------------------------------------------------ */

typedef struct {
    const sp_region *region;
    sp_line_set *doomed; /* linked by `next_doomed` */
} doom;

static int doom_set(void *value, void *argument)
{
    sp_line_set *set = value;
    doom *list = argument;
    if (set_holds(set, list->region)) {
        set->next_doomed = list->doomed;
        set->pinned = false;
        list->doomed = set;
    }
    return 0;
}

/* Whoever has a call or a block of the region open keeps it alive; but there are ways to enter a
 * block and never leave it, so a table that is pinned stays. Without the GIL the owner may be at its
 * map at this moment, so there all of them do. */
static bool may_free(const sp_line_table *table)
{
#ifdef Py_GIL_DISABLED
    (void)table;
    return false;
#else
    return table->pins == 0;
#endif
}

static void forget_tables(const sp_region *region)
{
    for (sp_line_table *table = all.tables; table != NULL; table = table->next) {
        if (set_holds(table->set, region))
            hand_over(table, is_region, region);
    }
    for (sp_line_table **link = &all.tables; *link != NULL;) {
        sp_line_table *table = *link;
        if (!set_holds(table->set, region) || !may_free(table)) {
            for (sp_line_set *set = table->set; set != NULL; set = set->outer)
                set->pinned = true;
            link = &table->next;
            continue;
        }
        *link = table->next;
        if (table->owner != NULL) {
            sp_map_pop(&table->owner->tables, table->code, table->set);
            memset(table->owner->calls, 0, sizeof table->owner->calls);
        }
        PyMem_RawFree(table);
    }
}

void sp_lines_forget(sp_region *region)
{
    if (!region->in_line_sets)
        return;
    SP_LOCK(&all.lock);
    doom list = {region, NULL};
    sp_map_each(&all.sets, doom_set, &list);
    forget_tables(region);
    for (sp_line_set *set = list.doomed, *next; set != NULL; set = next) {
        next = set->next_doomed;
        sp_map_pop(&all.sets, set->outer, set->region);
        if (set->region == region)
            set->region = NULL;
        if (!set->pinned)
            PyMem_RawFree(set);
    }
    SP_UNLOCK(&all.lock);
}

static bool set_of_manager(const sp_line_set *set, const sp_manager *manager)
{
    for (; set != NULL; set = set->outer) {
        if (set->region != NULL && set->region->manager == manager)
            return true;
    }
    return false;
}

static bool is_blank(const sp_line_table *table)
{
    for (int i = 0; i < table->code->count; i++) {
        if (table->cells[i].hits != 0 || table->cells[i].ticks != 0)
            return false;
    }
    return true;
}

void sp_lines_reset(sp_manager *manager)
{
    SP_LOCK(&all.lock);
    for (sp_line_table *table = all.tables; table != NULL; table = table->next) {
        if (!set_of_manager(table->set, manager) || is_blank(table))
            continue;
        hand_over(table, is_of_manager, manager);
        memset(table->cells, 0, (size_t)table->code->count * sizeof *table->cells);
    }
    SP_UNLOCK(&all.lock);
}

/* ---- Collecting -------------------------------------------------------------------------- */

/* [(line, hits, nanoseconds), ...] of the lines that were hit. */
static PyObject *table_rows(const sp_line_table *table)
{
    PyObject *rows = PyList_New(0);
    if (rows == NULL)
        return NULL;
    for (int i = 0; i < table->code->count; i++) {
        const sp_cell *cell = &table->cells[i];
        if (cell->hits == 0)
            continue;
        PyObject *row = Py_BuildValue("iKL", table->code->first + i,
                                      (unsigned long long)cell->hits,
                                      (long long)sp_clock_span_ns((int64_t)cell->ticks));
        if (row == NULL || PyList_Append(rows, row) < 0) {
            Py_XDECREF(row);
            Py_DECREF(rows);
            return NULL;
        }
        Py_DECREF(row);
    }
    return rows;
}

/* The manager's regions in the set, outermost first. */
static PyObject *set_regions(const sp_line_set *set, const sp_manager *manager)
{
    PyObject *regions = PyList_New(0);
    for (; set != NULL && regions != NULL; set = set->outer) {
        if (set->region != NULL && set->region->manager == manager
            && PyList_Insert(regions, 0, (PyObject *)set->region) < 0)
            Py_CLEAR(regions);
    }
    return regions;
}

static PyObject *table_entry(const sp_line_table *table, const sp_manager *manager)
{
    PyObject *regions = set_regions(table->set, manager);
    PyObject *rows = regions == NULL ? NULL : table_rows(table);
    if (rows == NULL) {
        Py_XDECREF(regions);
        return NULL;
    }
    return Py_BuildValue("(NON)", regions, (PyObject *)table->code->code, rows);
}

const char sp_lines_collect_doc[] =
"_lines(region)\n--\n\n"
"[([region, ...], code, [(line, hits, nanoseconds), ...]), ...] of the current run: what each\n"
"thread counted in a code object for a set of regions, the latest first. region: the one wanted,\n"
"or None for all.";

PyObject *sp_lines_collect(PyObject *self, PyObject *wanted)
{
    const sp_manager *manager = (const sp_manager *)self;
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    sp_clock_calibrate();
    /* Tables are only ever added, at the head, so the list may be walked while it grows. */
    SP_LOCK(&all.lock);
    const sp_line_table *table = all.tables;
    SP_UNLOCK(&all.lock);
    for (; table != NULL; table = table->next) {
        if (wanted == Py_None ? !set_of_manager(table->set, manager)
                              : !set_holds(table->set, (const sp_region *)wanted))
            continue;
        PyObject *entry = table_entry(table, manager);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_XDECREF(entry);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(entry);
    }
    return list;
}
