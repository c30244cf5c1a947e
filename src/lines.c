#include "lines.h"

#include "region.h"

SP_THREAD_LOCAL sp_line_thread *sp_line_here;

/* What all threads share. It names code objects and regions, which live longer than their
 * entries here: codes are owned, regions call sp_lines_forget() when they die. */
static struct {
    sp_map codes;         /* code -> sp_line_code */
    sp_map sets;          /* (outer set, region) -> sp_line_set */
    sp_line_table *tables; /* of all threads */
    uint64_t lost;
    sp_mutex lock;
} all;

uint64_t sp_lines_lost(void) { return all.lost; }

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
static sp_line_set *set_with(sp_line_set *outer, sp_region *region)
{
    if (set_holds(outer, region))
        return outer;
    SP_LOCK(&all.lock);
    sp_line_set *set = sp_map_get(&all.sets, outer, region);
    if (set == NULL && (set = PyMem_RawMalloc(sizeof *set)) != NULL) {
        *set = (sp_line_set){.outer = outer, .region = region};
        region->in_line_sets = true;
        if (sp_map_add(&all.sets, outer, region, set) < 0) {
            PyMem_RawFree(set);
            set = NULL;
        }
    }
    SP_UNLOCK(&all.lock);
    return set;
}

/* ---- Codes ------------------------------------------------------------------------------- */

/* What scope_profiler.lines.arm() said of the code: None when its lines are not wanted, else
 * (first line, last line, offsets of one-line loops). */
static int read_plan(sp_line_code *entry, PyObject *plan)
{
    PyObject *loops;
    int last;
    if (plan == Py_None)
        return 0;
    if (!PyArg_ParseTuple(plan, "iiO!", &entry->first, &last, &PyTuple_Type, &loops))
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(loops);
    entry->loops = PyMem_RawMalloc((size_t)(count + 1) * sizeof *entry->loops);
    if (entry->loops == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        entry->loops[i] = (int)PyLong_AsLong(PyTuple_GET_ITEM(loops, i));
        if (entry->loops[i] == -1 && PyErr_Occurred())
            return -1;
    }
    entry->loop_count = (int)count;
    entry->count = last - entry->first + 1;
    return 0;
}

static sp_line_code *code_meet(sp_manager *manager, PyCodeObject *code)
{
    if (manager->arm == NULL)
        return NULL;
    sp_line_code *entry = PyMem_RawCalloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->code = (PyCodeObject *)Py_NewRef(code);
    /* A user's exception may be under way; ours must not disturb it, nor leave one of its own. */
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *plan = PyObject_CallOneArg(manager->arm, (PyObject *)code);
    if (plan == NULL || read_plan(entry, plan) < 0) {
        entry->count = 0;
        all.lost++;
        PyErr_Clear();
    }
    Py_XDECREF(plan);
    PyErr_Restore(type, value, traceback);

    SP_LOCK(&all.lock);
    sp_line_code *found = sp_map_get(&all.codes, code, NULL);
    if (found == NULL && sp_map_add(&all.codes, code, NULL, entry) == 0)
        found = entry;
    SP_UNLOCK(&all.lock);
    if (found != entry) {
        Py_DECREF(entry->code);
        PyMem_RawFree(entry->loops);
        PyMem_RawFree(entry);
    }
    return found;
}

static sp_line_code *code_of(sp_manager *manager, PyCodeObject *code)
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

static sp_line_table *table_for(sp_line_thread *here, sp_line_code *code, sp_line_set *outer,
                                sp_region *region)
{
    sp_line_set *set = set_with(outer, region);
    return set == NULL ? NULL : table_of(here, code, set);
}

/* ---- Recorded frames --------------------------------------------------------------------- */

static sp_line_thread *thread_here(void)
{
    if (SP_LIKELY(sp_line_here != NULL))
        return sp_line_here;
    enum { FRAMES = 16 };
    sp_line_thread *here = PyMem_RawCalloc(1, sizeof *here);
    if (here == NULL)
        return NULL;
    here->frames = PyMem_RawCalloc(FRAMES, sizeof *here->frames);
    if (here->frames == NULL) {
        PyMem_RawFree(here);
        return NULL;
    }
    here->frame_capacity = FRAMES;
    here->top = here->frames;
    here->frames[0].frame = here; /* no interpreter frame has this address, nor NULL */
    return sp_line_here = here;
}

static bool push(sp_line_thread *here, sp_line_frame recorded)
{
    uint32_t depth = (uint32_t)(here->top - here->frames);
    if (depth + 1 == here->frame_capacity) {
        sp_line_frame *frames =
            PyMem_RawRealloc(here->frames, 2 * (size_t)here->frame_capacity * sizeof *frames);
        if (frames == NULL)
            return false;
        here->frames = frames;
        here->top = frames + depth;
        here->frame_capacity *= 2;
    }
    *++here->top = recorded;
    return true;
}

SP_NOINLINE sp_line_frame *sp_line_match_slow(sp_line_thread *here, const void *frame,
                                              PyCodeObject *code)
{
    sp_line_frame *top = here->top;
    if (top == here->frames)
        return here->suspended_count == 0 ? NULL : sp_line_wake(here, frame);
    if (top->frame == NULL && top->table->code->code == code) {
        top->frame = frame; /* the first event of a decorated call */
        return top;
    }
    /* A generator that throw() woke: there is no event for that before 3.15. */
    return here->suspended_count == 0 ? NULL : sp_line_wake(here, frame);
}

void sp_line_suspend(sp_line_thread *here, uint64_t now)
{
    sp_line_frame *asleep = PyMem_RawMalloc(sizeof *asleep);
    sp_cell *cell = here->top->cell;
    sp_line_stop(here->top, now);
    here->top->cell = cell; /* it goes on with the same line */
    if (asleep == NULL) {
        all.lost++;
    }
    else {
        *asleep = *here->top;
        PyMem_RawFree(sp_map_pop(&here->suspended, asleep->frame, NULL)); /* an earlier owner */
        if (sp_map_add(&here->suspended, asleep->frame, NULL, asleep) < 0) {
            PyMem_RawFree(asleep);
            all.lost++;
        }
    }
    here->top--;
    here->suspended_count = (uint32_t)sp_map_count(&here->suspended);
}

sp_line_frame *sp_line_wake(sp_line_thread *here, const void *frame)
{
    sp_line_frame *asleep = sp_map_pop(&here->suspended, frame, NULL);
    if (asleep == NULL)
        return NULL;
    here->suspended_count--;
    bool pushed = push(here, *asleep);
    PyMem_RawFree(asleep);
    if (!pushed) {
        all.lost++;
        return NULL;
    }
    here->top->since = sp_now();
    return here->top;
}

/* ---- Decorated calls --------------------------------------------------------------------- */

uint32_t sp_lines_call_begin(sp_region *region, PyCodeObject *code)
{
    sp_line_thread *here = thread_here();
    sp_line_code *entry = code_of(region->manager, code);
    if (here == NULL || entry == NULL)
        goto lost;
    if (entry->count == 0)
        return 0;
    sp_line_table *table = table_for(here, entry, NULL, region);
    if (table == NULL || !push(here, (sp_line_frame){.table = table, .call = table}))
        goto lost;
    uint32_t mark = (uint32_t)(here->top - here->frames) * 2;
    return mark | sp_line_trace(true);
lost:
    all.lost++;
    return 0;
}

/* The mark is where the call's frame lies in the stack, and whether its caller was traced. */
void sp_lines_call_end(uint32_t mark)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_here;
    sp_line_frame *recorded = here->frames + mark / 2;
    if (here->top >= recorded) {
        sp_line_stop(recorded, now);
        here->top = recorded - 1;
    }
    sp_line_trace(mark & 1);
}

uint32_t sp_lines_step_begin(sp_region *region, PyCodeObject *code, sp_line_frame *kept)
{
    sp_line_thread *here = thread_here();
    if (kept->table == NULL || here == NULL)
        return sp_lines_call_begin(region, code);
    if (!push(here, *kept)) {
        all.lost++;
        return 0;
    }
    here->top->since = sp_now();
    uint32_t mark = (uint32_t)(here->top - here->frames) * 2;
    return mark | sp_line_trace(true);
}

void sp_lines_step_end(uint32_t mark, sp_line_frame *kept)
{
    uint64_t now = sp_now();
    sp_line_frame *recorded = sp_line_here->frames + mark / 2;
    sp_cell *cell = recorded->cell;
    sp_line_stop(recorded, now);
    recorded->cell = cell;
    *kept = *recorded;
    recorded->cell = NULL;
    sp_lines_call_end(mark);
}

/* ---- Blocks ------------------------------------------------------------------------------ */

static bool push_block(sp_line_thread *here, sp_line_block block)
{
    if (here->block_count == here->block_capacity) {
        uint32_t capacity = here->block_capacity == 0 ? 8 : 2 * here->block_capacity;
        sp_line_block *blocks = PyMem_RawRealloc(here->blocks, capacity * sizeof *blocks);
        if (blocks == NULL)
            return false;
        here->blocks = blocks;
        here->block_capacity = capacity;
    }
    here->blocks[here->block_count++] = block;
    return true;
}

void sp_lines_block_enter(sp_region *region, const void *frame)
{
    sp_line_thread *here = thread_here();
    if (here == NULL)
        goto lost;
    bool recorded = here->top->frame == frame;
    sp_line_code *code;
    if (recorded) {
        code = here->top->table->code;
    }
    else {
        PyFrameObject *running = PyEval_GetFrame();
        PyCodeObject *borrowed = running == NULL ? NULL : PyFrame_GetCode(running);
        if (borrowed == NULL)
            return; /* entered from C, with no Python code around */
        code = code_of(region->manager, borrowed);
        Py_DECREF(borrowed);
    }
    if (code == NULL)
        goto lost;
    if (code->count == 0)
        return;
    sp_line_table *table =
        table_for(here, code, recorded ? here->top->table->set : NULL, region);
    if (table == NULL || !push_block(here, (sp_line_block){frame, region}))
        goto lost;
    if (recorded) {
        sp_line_stop(here->top, sp_now());
        here->top->table = table;
    }
    else if (push(here, (sp_line_frame){.frame = frame, .table = table})) {
        sp_line_trace(true);
    }
    else {
        here->block_count--;
        goto lost;
    }
    return;
lost:
    all.lost++;
}

/* Take the block off the list; the newest of the region when it was opened in another frame.
 * Gives the frame that opened it, NULL when there is none. */
static const void *pop_block(sp_line_thread *here, const sp_region *region, const void *frame)
{
    uint32_t found = UINT32_MAX;
    for (uint32_t i = here->block_count; i-- > 0;) {
        if (here->blocks[i].region != region)
            continue;
        if (found == UINT32_MAX || here->blocks[i].frame == frame)
            found = i;
        if (here->blocks[i].frame == frame)
            break;
    }
    if (found == UINT32_MAX)
        return NULL;
    frame = here->blocks[found].frame;
    here->block_count--;
    memmove(here->blocks + found, here->blocks + found + 1,
            (here->block_count - found) * sizeof *here->blocks);
    return frame;
}

/* Where the frame's lines go by the blocks still open in it; NULL for nowhere. */
static sp_line_table *table_now(sp_line_thread *here, const sp_line_frame *recorded)
{
    sp_line_table *table = recorded->call;
    for (uint32_t i = 0; i < here->block_count; i++) {
        if (here->blocks[i].frame == recorded->frame)
            table = table_for(here, recorded->table->code, table == NULL ? NULL : table->set,
                              here->blocks[i].region);
    }
    return table;
}

void sp_lines_block_leave(sp_region *region, const void *frame)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_here;
    frame = pop_block(here, region, frame);
    if (frame == NULL)
        return;
    if (here->top->frame != frame && (here->suspended_count == 0 || !sp_line_wake(here, frame)))
        return;
    sp_line_frame *recorded = here->top;
    sp_line_stop(recorded, now);
    recorded->table = table_now(here, recorded);
    if (recorded->table == NULL) {
        here->top--;
        sp_line_trace(false);
    }
}

/* ---- Forgetting and collecting ----------------------------------------------------------- */

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
        list->doomed = set;
    }
    return 0;
}

/* No frame can be using the tables: whoever has a call or a block of the region open keeps it
 * alive. Without the GIL the owner may be at its map at this moment, so there they stay. */
static void forget_tables(const sp_region *region)
{
#ifdef Py_GIL_DISABLED
    (void)region;
#else
    for (sp_line_table **link = &all.tables; *link != NULL;) {
        sp_line_table *table = *link;
        if (!set_holds(table->set, region)) {
            link = &table->next;
            continue;
        }
        *link = table->next;
        sp_map_pop(&table->owner->tables, table->code, table->set);
        PyMem_RawFree(table);
    }
#endif
}

void sp_lines_forget(sp_region *region)
{
    if (!region->in_line_sets)
        return;
    SP_LOCK(&all.lock);
    forget_tables(region);
    doom list = {region, NULL};
    sp_map_each(&all.sets, doom_set, &list);
    for (sp_line_set *set = list.doomed, *next; set != NULL; set = next) {
        next = set->next_doomed;
        sp_map_pop(&all.sets, set->outer, set->region);
#ifdef Py_GIL_DISABLED
        set->region = NULL; /* a table still points here */
#else
        PyMem_RawFree(set);
#endif
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

void sp_lines_reset(sp_manager *manager)
{
    SP_LOCK(&all.lock);
    for (sp_line_table *table = all.tables; table != NULL; table = table->next) {
        if (set_of_manager(table->set, manager))
            memset(table->cells, 0, (size_t)table->code->count * sizeof *table->cells);
    }
    SP_UNLOCK(&all.lock);
}

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
