/* A manager's regions by name: found, added, and forgotten when nobody holds them. */
#ifndef SP_REGISTRY_H
#define SP_REGISTRY_H

#include "record/region.h"

/* The region of that name, or NULL, with an exception set when it is no name. Borrowed: Python that
 * runs may have it forgotten. */
sp_region *sp_manager_find(sp_manager *manager, PyObject *name);
/* Add a new region; when another thread was faster, take that one instead. Borrowed, too; NULL with an
 * exception set. */
sp_region *sp_manager_add_region(sp_manager *manager, sp_region *region);
/* Find the region by the address of this name from now on. */
void sp_manager_remember(sp_manager *manager, PyObject *name, sp_region *region);

/* Take the regions that nobody holds out of the manager: its run has been left, under shared and stop.
 * The others have new numbers. */
typedef struct {
    struct sp_region **regions; /* Owned, and so is every reference in it. */
    uint32_t count;
} sp_left_regions;
sp_left_regions sp_manager_leave_regions(sp_manager *manager);
/* Objects of the user's may die here, and Python run: no thread is stopped any more. */
void sp_left_regions_free(sp_left_regions *left);

#endif
