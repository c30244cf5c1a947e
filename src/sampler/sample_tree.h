/* The samples, counted in a tree, so that memory grows with the number of stacks and not of samples. A node
 * is a place: a thread, a task, a region, or a line of a function. */
#ifndef SP_SAMPLE_TREE_H
#define SP_SAMPLE_TREE_H

#include "sampler/number_table.h"

/* What a node stands for; from SP_AT_CODE on a line of the code object with that number less. */
enum { SP_AT_THREAD, SP_AT_TASK, SP_AT_REGION, SP_AT_MORE, SP_AT_UNKNOWN, SP_AT_CODE };

typedef struct {
    uint32_t parent, kind;
    uint32_t number; /* of the thread, task or region; or the line */
    uint64_t count;  /* samples that end here */
} sp_sample_node;

typedef struct {
    sp_sample_node *nodes; /* nodes[0] is the root. Owned. */
    uint32_t count, capacity;
    sp_number_table children; /* (parent, kind and number) -> node */
} sp_sample_tree;

enum { SP_SAMPLE_NODES_AT_MOST = 1 << 20 };

/* The node for a place below another; that other one when memory is out, or there are too many. */
uint32_t sp_sample_child(sp_sample_tree *tree, uint32_t parent, uint32_t kind, uint32_t number);
/* Count a sample that ends there. */
void sp_sample_count(sp_sample_tree *tree, uint32_t node);
void sp_sample_tree_free(sp_sample_tree *tree);

#endif
