#include "lines/line_backend.h"

void (*sp_line_any_on)(bool on);
#if SP_MONITORING
int (*sp_line_arm)(sp_line_code *entry);
#else
bool (*sp_line_trace)(bool on);
void (*sp_line_trace_below)(sp_line_thread *here, PyFrameObject *outermost);
uint32_t sp_evaluator_in_depth;
#endif
