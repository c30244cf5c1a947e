#include "lines/line_tables.h"

#include "base/heap.h"
#include "base/list.h"
#include "lines/line_codes.h"
#include "lines/line_columns.h"
#include "lines/line_memory.h"
#include "record/counters.h"

sp_line_table *sp_line_tables;

/* What the run asks for. */
static void make_details(const sp_line_table *table, sp_line_columns *columns)
{
    const sp_manager *manager = table->region->manager;
    int lines = table->code->plan.count;
    if (columns->cells == NULL)
        return;
    if (manager->line_details && !sp_line_details_make(columns, lines))
        sp_lose_line();
    if (manager->line_memory && !sp_line_memory_make(columns, lines))
        sp_lose_line();
}

sp_line_table *sp_line_table_of(sp_line_thread *here, sp_line_code *code, sp_region *region)
{
    sp_line_table *table = sp_map_get(&here->tables, code, region);
    if (table != NULL)
        return table;
    table = sp_calloc(1, sizeof *table + (size_t)code->plan.count * sizeof(sp_cell));
    if (table == NULL || sp_map_add(&here->tables, code, region, table) < 0) {
        sp_free(table);
        return NULL;
    }
    table->code = code;
    table->first.cells = table->cells;
    table->region = region;
    table->owner = here;
    make_details(table, &table->first);
    SP_LIST_ADD(sp_line_tables, table, next, link);
    sp_line_code_used(code, 1);
    region->has_lines = true;
    return table;
}

sp_line_columns *sp_line_table_again(sp_line_table *table)
{
    sp_line_columns *columns = &table->again;
    if (columns->cells == NULL) {
        columns->cells = sp_calloc((size_t)table->code->plan.count, sizeof *columns->cells);
        if (table->region != NULL)
            make_details(table, columns);
    }
    if (columns->cells == NULL)
        sp_lose_line();
    return columns->cells == NULL ? NULL : columns;
}

/* Nobody finds it any more. */
static void lose_region(sp_line_table *table)
{
    sp_map_pop(&table->owner->tables, table->code, table->region);
    memset(table->owner->calls, 0, sizeof table->owner->calls);
    table->region = NULL;
}

void sp_line_table_free(sp_line_table *table)
{
    if (table->region != NULL)
        lose_region(table);
    SP_LIST_REMOVE(table, next, link);
    sp_line_columns_clear(&table->first, table->code->plan.count);
    sp_line_columns_clear(&table->again, table->code->plan.count);
    sp_free(table->again.cells);
    sp_line_code_used(table->code, -1); /* which may free it */
    sp_free(table);
}

/* Whoever has a call or a block of the region open keeps it alive; but there are ways to enter a block
 * and never leave it, so there may be frames that go on counting in its tables. */
void sp_line_tables_forget(sp_region *region)
{
    sp_line_table *next;
    for (sp_line_table *table = region->has_lines ? sp_line_tables : NULL; table != NULL; table = next) {
        next = table->next;
        if (table->region != region)
            continue;
        lose_region(table);
        if (table->uses == 0)
            sp_line_table_free(table);
    }
}

static void start_again(const sp_line_table *table, sp_line_columns *columns)
{
    int lines = table->code->plan.count;
    if (columns->cells != NULL)
        memset(columns->cells, 0, (size_t)lines * sizeof *columns->cells);
    sp_line_columns_clear(columns, lines);
    make_details(table, columns);
}

/* A run of the manager begins. Tables are freed, not only emptied: most are of code that is gone, in
 * programs that make code as they run. */
void sp_line_tables_reset(const sp_manager *manager)
{
    sp_line_table *next;
    for (sp_line_table *table = sp_line_tables; table != NULL; table = next) {
        next = table->next;
        if (sp_line_table_manager(table) != manager)
            continue;
        if (table->uses == 0) {
            sp_line_table_free(table);
            continue;
        }
        table->goes_on = false;
        start_again(table, &table->first);
        start_again(table, &table->again);
    }
}

/* ---- Taking ------------------------------------------------------------------------------ */

/* What was counted goes to `into`, whose cells are given; frames go on counting in the cells that they
 * know. */
static void take_columns(const sp_line_table *table, sp_line_columns *columns,
                         sp_line_columns *into, sp_cell *cells)
{
    *into = *columns;
    into->cells = cells;
    if (cells == NULL)
        return;
    memcpy(cells, columns->cells, (size_t)table->code->plan.count * sizeof *cells);
    *columns = (sp_line_columns){.cells = columns->cells};
    start_again(table, columns);
}

/* NULL when memory is out. */
static sp_line_table *take_table(sp_line_table *table)
{
    size_t size = (size_t)table->code->plan.count * sizeof(sp_cell);
    sp_line_table *taken = sp_malloc(sizeof *taken + size);
    sp_cell *again = table->again.cells == NULL ? NULL : sp_malloc(size);
    if (taken == NULL || (again == NULL) != (table->again.cells == NULL)) {
        sp_free(taken);
        sp_free(again);
        return NULL;
    }
    taken->code = table->code;
    taken->region = (sp_region *)Py_NewRef(table->region);
    sp_line_code_used(taken->code, 1);
    taken->goes_on = table->goes_on;
    table->goes_on = true;
    take_columns(table, &table->first, &taken->first, taken->cells);
    take_columns(table, &table->again, &taken->again, again);
    return taken;
}

sp_line_table *sp_line_tables_take(const sp_manager *manager)
{
    sp_line_table *taken = NULL, **last = &taken, *next;
    for (sp_line_table *table = sp_line_tables; table != NULL; table = next) {
        next = table->next;
        if (sp_line_table_manager(table) != manager || (*last = take_table(table)) == NULL)
            continue;
        last = &(*last)->next;
        if (table->uses == 0)
            sp_line_table_free(table);
    }
    *last = NULL;
    return taken;
}

void sp_line_tables_taken_free(sp_line_table *taken)
{
    while (taken != NULL) {
        sp_line_table *next = taken->next;
        sp_line_columns_clear(&taken->first, taken->code->plan.count);
        sp_line_columns_clear(&taken->again, taken->code->plan.count);
        sp_free(taken->again.cells);
        sp_line_code_used(taken->code, -1);
        Py_DECREF(taken->region);
        sp_free(taken);
        taken = next;
    }
}
