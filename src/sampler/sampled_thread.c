#include "sampler/sampled_thread.h"

#include "sampler/peek.h"

enum { HEADER_SIZE = offsetof(PyCodeObject, co_code_adaptive), HEADERS = 64 };

typedef union {
    PyCodeObject code;
    char bytes[HEADER_SIZE];
} code_header;

static uint32_t number_of_region(sp_samples *samples, sp_place place)
{
    const uint32_t *known = sp_number_find(&samples->region_numbers, (uintptr_t)place.node, 0);
    if (known != NULL)
        return *known;
    void *array = samples->regions;
    if (!sp_place_is_node(place.record, place.node)
        || !sp_room_for_one(&array, sizeof *samples->regions, samples->region_count,
                            &samples->region_capacity))
        return UINT32_MAX;
    samples->regions = array;
    if (!sp_number_add(&samples->region_numbers, (uintptr_t)place.node, 0, samples->region_count))
        return UINT32_MAX;
    samples->regions[samples->region_count] = (sp_sampled_region){place.node};
    return samples->region_count++;
}

static uint32_t node_above(sp_samples *samples, const sp_sampled_thread *thread, bool whole,
                           sp_place place)
{
    uint32_t node = sp_sample_child(&samples->tree, 0, SP_AT_THREAD, thread->number);
    if (place.task != 0)
        node = sp_sample_child(&samples->tree, node, SP_AT_TASK, place.task);
    uint32_t region = place.node == NULL ? UINT32_MAX : number_of_region(samples, place);
    if (region != UINT32_MAX)
        node = sp_sample_child(&samples->tree, node, SP_AT_REGION, region);
    return whole ? node : sp_sample_child(&samples->tree, node, SP_AT_MORE, 0);
}

static uint32_t node_of(sp_samples *samples, uint32_t parent, const sp_frame_copy *frame,
                        const PyCodeObject *header)
{
    uint32_t code =
        header == NULL ? SP_NO_CODE : sp_code_number(&samples->codes, frame->code, header);
    if (code == SP_NO_CODE)
        return sp_sample_child(&samples->tree, parent, SP_AT_UNKNOWN, 0);
    int32_t line = sp_code_line(&samples->codes.codes[code], sp_frame_position(frame, header));
    return sp_sample_child(&samples->tree, parent, SP_AT_CODE + code, (uint32_t)line);
}

/* The node of the stack below another. The code objects are looked at each time: what stood at an address
 * before may be another one. */
static uint32_t node_of_stack(sp_samples *samples, uint32_t node, const sp_stack_copy *stack)
{
    code_header headers[HEADERS];
    sp_peeked places[HEADERS];
    for (uint32_t left = stack->depth; left != 0;) {
        uint32_t some = left < HEADERS ? left : HEADERS;
        for (uint32_t i = 0; i < some; i++)
            places[i] =
                (sp_peeked){headers[i].bytes, stack->frames[left - 1 - i].code, HEADER_SIZE};
        bool all = sp_peek_all(places, some);
        for (uint32_t i = 0; i < some; i++) {
            bool read = all || sp_peek(places[i].into, places[i].address, HEADER_SIZE);
            node = node_of(samples, node, &stack->frames[left - 1 - i],
                           read ? &headers[i].code : NULL);
        }
        left -= some;
    }
    return node;
}

void sp_sampled_thread_count(sp_samples *samples, sp_sampled_thread *thread,
                             const sp_stack_copy *stack, sp_place place)
{
    thread->node =
        node_of_stack(samples, node_above(samples, thread, stack->whole, place), stack);
    sp_sampled_thread_repeat(samples, thread);
}

void sp_sampled_thread_repeat(sp_samples *samples, const sp_sampled_thread *thread)
{
    sp_sample_count(&samples->tree, thread->node);
    samples->counts.samples++;
}

void sp_sampled_thread_forget(sp_sampled_thread *thread)
{
    thread->number = UINT32_MAX;
    thread->waits_since = UINT64_MAX;
}
