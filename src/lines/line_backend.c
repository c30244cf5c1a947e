#include "lines/line_backend.h"

#if SP_MONITORING
int (*sp_line_arm)(sp_line_code *entry);
#else
bool (*sp_line_trace)(bool on);
uint32_t sp_evaluator_in_depth;
#endif
