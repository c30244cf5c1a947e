#include "lines/line_tables.h"

#include "lines/line_codes.h"
#include "record/counters.h"

sp_line_table *sp_line_tables;
/* (outer set, region) -> sp_line_set. They name regions, which call sp_lines_forget() when they die. */
static sp_map sets;

/* ---- Sets -------------------------------------------------------------------------------- */

bool sp_line_set_holds(const sp_line_set *set, const sp_region *region)
{
    for (; set != NULL; set = set->outer) {
        if (set->region == region)
            return true;
    }
    return false;
}

/* outer with the region; NULL when memory is out. */
sp_line_set *sp_line_set_with(sp_line_set *outer, sp_region *region)
{
    if (sp_line_set_holds(outer, region))
        return outer;
    sp_line_set *set = sp_map_get(&sets, outer, region);
    if (set == NULL && (set = PyMem_RawMalloc(sizeof *set)) != NULL) {
        *set = (sp_line_set){.outer = outer, .region = region};
        region->in_line_sets = true;
        if (sp_map_add(&sets, outer, region, set) < 0) {
            PyMem_RawFree(set);
            set = NULL;
        }
    }
    return set;
}

/* ---- Tables ------------------------------------------------------------------------------ */

static void free_table(sp_line_table *table)
{
    sp_line_thread *owner = table->owner;
    if (owner != NULL) {
        sp_map_pop(&owner->tables, table->code, table->set);
        memset(owner->calls, 0, sizeof owner->calls);
    }
    sp_line_code_used(table->code, -1);
    PyMem_RawFree(table);
}

/* owner: NULL for what was handed over. */
static sp_line_table *new_table(sp_line_code *code, sp_line_set *set, sp_line_thread *owner)
{
    size_t cells = (size_t)code->plan.count * sizeof(sp_cell);
    sp_line_table *table = PyMem_RawCalloc(1, sizeof *table + cells);
    if (table == NULL)
        return NULL;
    table->code = code;
    table->set = set;
    table->first = code->plan.first;
    table->count = code->plan.count;
    table->owner = owner;
    sp_line_code_used(code, 1);
    return table;
}

sp_line_table *sp_line_table_of(sp_line_thread *here, sp_line_code *code, sp_line_set *set)
{
    sp_line_table *table = sp_map_get(&here->tables, code, set);
    if (table != NULL || (table = new_table(code, set, here)) == NULL)
        return table;
    if (sp_map_add(&here->tables, code, set, table) < 0) {
        free_table(table);
        return NULL;
    }
    table->next = sp_line_tables;
    sp_line_tables = table;
    return table;
}

sp_line_table *sp_line_table_get(sp_line_thread *here, sp_line_code *code, sp_line_set *outer,
                                 sp_region *region)
{
    sp_line_set *set = sp_line_set_with(outer, region);
    return set == NULL ? NULL : sp_line_table_of(here, code, set);
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
    return sp_line_set_with(outer, set->region);
}

/* The table of the code and set that no thread counts in. */
static sp_line_table *orphan_table(sp_line_code *code, sp_line_set *set)
{
    for (sp_line_table *table = sp_line_tables; table != NULL; table = table->next) {
        if (table->owner == NULL && table->code == code && table->set == set)
            return table;
    }
    sp_line_table *table = new_table(code, set, NULL);
    if (table != NULL) {
        table->next = sp_line_tables;
        sp_line_tables = table;
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
        sp_lose_line();
        return;
    }
    for (int i = 0; i < table->count; i++) {
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

typedef bool (*set_choice)(const sp_line_set *set, const void *argument);

typedef struct {
    set_choice is_chosen;
    const void *argument;
    sp_line_set *doomed; /* linked by `next_doomed` */
} doom;

static int doom_set(void *value, void *argument)
{
    sp_line_set *set = value;
    doom *list = argument;
    if (list->is_chosen(set, list->argument)) {
        set->next_doomed = list->doomed;
        set->pinned = false;
        list->doomed = set;
    }
    return 0;
}

/* The sets that are chosen, as a list; until a sweep has marked them, no table is of any. */
static sp_line_set *doom_sets(set_choice is_chosen, const void *argument)
{
    doom list = {is_chosen, argument, NULL};
    sp_map_each(&sets, doom_set, &list);
    return list.doomed;
}

/* Whoever has a call or a block of the region open keeps it alive; but there are ways to enter a
 * block and never leave it, so a table that is pinned stays. */
static bool may_free(const sp_line_table *table) { return table->pins == 0; }

typedef bool (*table_choice)(const sp_line_table *table, const void *argument);

/* Free the tables that are chosen; mark the sets of those that stay. */
static void sweep(table_choice is_chosen, const void *argument)
{
    for (sp_line_table **link = &sp_line_tables; *link != NULL;) {
        sp_line_table *table = *link;
        if (is_chosen(table, argument) && may_free(table)) {
            *link = table->next;
            free_table(table);
            continue;
        }
        for (sp_line_set *set = table->set; set != NULL; set = set->outer)
            set->pinned = true;
        link = &table->next;
    }
}

static bool is_set_of(const sp_line_set *set, const void *region) { return sp_line_set_holds(set, region); }

static bool counts_for(const sp_line_table *table, const void *region)
{
    return sp_line_set_holds(table->set, region);
}

static void forget_tables(const sp_region *region)
{
    for (sp_line_table *table = sp_line_tables; table != NULL; table = table->next) {
        if (counts_for(table, region))
            hand_over(table, is_region, region);
    }
    sweep(counts_for, region);
}

void sp_line_tables_forget(sp_region *region)
{
    if (!region->in_line_sets)
        return;
    sp_line_set *doomed = doom_sets(is_set_of, region);
    forget_tables(region);
    for (sp_line_set *set = doomed, *next; set != NULL; set = next) {
        next = set->next_doomed;
        sp_map_pop(&sets, set->outer, set->region);
        if (set->region == region)
            set->region = NULL;
        if (!set->pinned)
            PyMem_RawFree(set);
    }
}

bool sp_line_set_of_manager(const sp_line_set *set, const void *manager)
{
    for (; set != NULL; set = set->outer) {
        if (set->region != NULL && set->region->manager == manager)
            return true;
    }
    return false;
}

static bool is_blank(const sp_line_table *table)
{
    for (int i = 0; i < table->count; i++) {
        if (table->cells[i].hits != 0 || table->cells[i].ticks != 0)
            return false;
    }
    return true;
}

static bool counts_for_manager(const sp_line_table *table, const void *manager)
{
    return sp_line_set_of_manager(table->set, manager);
}

void sp_line_tables_reset(const sp_manager *manager)
{
    for (sp_line_table *table = sp_line_tables; table != NULL; table = table->next) {
        if (!counts_for_manager(table, manager) || is_blank(table))
            continue;
        hand_over(table, is_of_manager, manager);
        memset(table->cells, 0, (size_t)table->count * sizeof *table->cells);
    }
    sp_line_set *doomed = doom_sets(sp_line_set_of_manager, manager);
    sweep(counts_for_manager, manager);
    for (sp_line_set *set = doomed, *next; set != NULL; set = next) {
        next = set->next_doomed;
        if (set->pinned)
            continue;
        sp_map_pop(&sets, set->outer, set->region);
        PyMem_RawFree(set);
    }
}
