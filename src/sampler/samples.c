#include "sampler/samples.h"

#include <stdlib.h>

void sp_samples_free(sp_samples *samples)
{
    sp_sample_tree_free(&samples->tree);
    sp_code_copies_free(&samples->codes);
    sp_number_table_free(&samples->region_numbers);
    free(samples->names);
    free(samples->regions);
    *samples = (sp_samples){0};
}
