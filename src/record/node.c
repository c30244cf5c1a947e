#include "record/node.h"

void sp_node_init(sp_node *node, struct sp_region *region, sp_node *parent, uint32_t id)
{
    *node = (sp_node){.region = region, .parent = parent, .id = id, .first = UINT64_MAX};
}

void sp_node_free(sp_node *node)
{
    sp_totals_free(node->totals);
    node->totals = NULL;
}

void sp_node_start_over(sp_node *node)
{
    sp_node before = *node;
    sp_node_free(node);
    sp_node_init(node, before.region, before.parent, before.id);
    node->active = before.active;
    node->active_alike = before.active_alike;
    node->alike = before.alike;
    node->other = before.other;
}

SP_APART sp_totals *sp_node_make_totals(sp_node *node)
{
    node->totals = sp_totals_new();
    return node->totals;
}

_Static_assert((int)SP_PENDING <= (int)SP_SKETCH_FEW, "they are added to a sketch together");

static void add_pending(sp_totals *totals, const sp_node *node)
{
    sp_totals_add_all(totals, node->pending, node->pending_count);
    totals->costs[node->pending_way] += node->pending_count;
}

SP_APART bool sp_node_record_slow(sp_node *node, sp_cost way, uint64_t ticks)
{
    bool fits = ticks <= UINT32_MAX;
    if (node->pending_count != 0 || !fits) {
        sp_totals *totals = sp_node_own_totals(node);
        if (totals == NULL)
            return false;
        add_pending(totals, node);
        node->pending_count = 0;
        if (!fits) {
            sp_totals_add(totals, ticks);
            totals->costs[way]++;
            return true;
        }
    }
    node->pending_way = (uint8_t)way;
    node->pending[node->pending_count++] = (uint32_t)ticks;
    return true;
}

int sp_node_merge(sp_node *into, const sp_node *from)
{
    into->active += from->active;
    into->children += from->children;
    into->inside += from->inside;
    if (from->first < into->first)
        into->first = from->first;
    if (from->pending_count == 0 && from->totals == NULL)
        return 0;
    sp_totals *totals = sp_node_own_totals(into);
    if (totals == NULL)
        return -1;
    add_pending(totals, from);
    return from->totals == NULL ? 0 : sp_totals_merge(totals, from->totals);
}

bool sp_node_is_used(const sp_node *node)
{
    const sp_totals *totals = sp_node_totals(node);
    uint64_t all = node->active | node->pending_count | totals->throttled;
    for (int i = 0; i < SP_COSTS; i++)
        all |= totals->costs[i];
    return all != 0;
}
