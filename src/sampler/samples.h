/* What the sampler has counted. */
#ifndef SP_SAMPLES_H
#define SP_SAMPLES_H

#include "record/manager.h"
#include "sampler/code_copies.h"
#include "sampler/sample_tree.h"

typedef struct {
    uint64_t ticks;    /* times at which was looked */
    /* Of them those at which a thread was sampled, each with the ticks that were missed before it: their
     * sum, and that of the squares. */
    uint64_t stood_for, squares;
    uint64_t samples;
    uint64_t missed;     /* ticks that the sampler came too late for */
    uint64_t unreadable; /* samples of which no stack could be had */
} sp_sample_counts;

/* A thread that has samples, by its number. */
typedef struct {
    uint64_t identifier, native; /* as Python and as the system have it */
} sp_sampled_name;

/* A region that was the innermost open one, by its number. */
typedef struct {
    const sp_node *node;
} sp_sampled_region;

typedef struct {
    sp_sample_counts counts;
    sp_sample_tree tree;
    sp_code_copies codes;
    sp_sampled_name *names; /* Owned. */
    uint32_t name_count, name_capacity;
    sp_sampled_region *regions; /* Owned. */
    uint32_t region_count, region_capacity;
    sp_number_table region_numbers; /* node -> its number */
} sp_samples;

void sp_samples_free(sp_samples *samples);

#endif
