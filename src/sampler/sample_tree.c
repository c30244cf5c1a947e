#include "sampler/sample_tree.h"

#include <stdlib.h>

static bool add(sp_sample_tree *tree, uint32_t parent, uint32_t kind, uint32_t number)
{
    void *array = tree->nodes;
    if (!sp_room_for_one(&array, sizeof *tree->nodes, tree->count, &tree->capacity))
        return false;
    tree->nodes = array;
    tree->nodes[tree->count++] = (sp_sample_node){parent, kind, number, 0};
    return true;
}

uint32_t sp_sample_child(sp_sample_tree *tree, uint32_t parent, uint32_t kind, uint32_t number)
{
    const uint64_t place = (uint64_t)kind << 32 | number;
    if (tree->count == 0 && !add(tree, 0, SP_AT_UNKNOWN, 0))
        return 0;
    const uint32_t *known = sp_number_find(&tree->children, parent, place);
    if (known != NULL)
        return *known;
    if (tree->count == SP_SAMPLE_NODES_AT_MOST || !add(tree, parent, kind, number))
        return parent;
    if (!sp_number_add(&tree->children, parent, place, tree->count - 1)) {
        tree->count--;
        return parent;
    }
    return tree->count - 1;
}

void sp_sample_count(sp_sample_tree *tree, uint32_t node)
{
    if (node < tree->count)
        tree->nodes[node].count++;
}

void sp_sample_tree_free(sp_sample_tree *tree)
{
    free(tree->nodes);
    sp_number_table_free(&tree->children);
    *tree = (sp_sample_tree){0};
}
