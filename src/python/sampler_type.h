/* The type Sampler, and what is asked before one is made. */
#ifndef SP_SAMPLER_TYPE_H
#define SP_SAMPLER_TYPE_H

#include "base/compat.h"

extern PyMethodDef sp_sampler_functions[];

#endif
