#include "record/region.h"

void (*sp_regions_changed)(void);

bool sp_region_thinning(const sp_region *region, uint32_t *every, uint32_t *keep)
{
    const sp_manager *manager = region->manager;
    bool own = region->keep_every != 0 || region->keep != 0;
    *every = own ? region->keep_every : manager->keep_every;
    *keep = own ? region->keep : manager->keep;
    return *every > 1 || *keep != 0;
}

void sp_region_switch(sp_region *region)
{
    const sp_manager *manager = region->manager;
    bool was_plain = sp_region_is_plain(region);
    if (region->tags == NULL)
        region->enabled = !manager->selective;
    region->recording = manager->recording && region->enabled;
    uint32_t every, keep;
    bool thinned = manager->events && sp_region_thinning(region, &every, &keep);
    region->extras = (thinned ? SP_THINNED : 0)
                     | (manager->limited && region->limit != SP_NO_LIMIT ? SP_LIMITED : 0)
                     | (region->recording && manager->lines ? SP_LINES_TOO : 0)
                     | (region->recording && manager->annotated ? SP_METADATA_TOO : 0)
                     /* Also while the run is paused: what is open may end. */
                     | (manager->memory ? SP_MEMORY_TOO : 0);
    if (was_plain && !sp_region_is_plain(region) && sp_regions_changed != NULL)
        sp_regions_changed();
}

void sp_region_release(sp_region *region)
{
    Py_CLEAR(region->enter);
    Py_CLEAR(region->leave);
    Py_DECREF(region);
}

void sp_region_make_permanent(sp_region *region)
{
    sp_make_immortal((PyObject *)region);
    sp_make_immortal(region->enter);
    sp_make_immortal(region->leave);
}
