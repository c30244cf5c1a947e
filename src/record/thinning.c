#include "record/thinning.h"

#include "base/heap.h"

sp_thinning *sp_thinning_new(uint32_t every, uint32_t keep)
{
    sp_thinning *thinning = sp_calloc(1, sizeof *thinning);
    if (thinning != NULL) {
        thinning->every = every;
        thinning->keep = keep;
    }
    return thinning;
}

void sp_thinning_free(sp_thinning *thinning)
{
    if (thinning != NULL)
        sp_free(thinning->keys);
    sp_free(thinning);
}

static uint64_t mixed(uint64_t x) /* the end of SplitMix64 (Steele, Lea and Flood, 2014) */
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t sp_thinning_key(uint64_t start, uint64_t ticks, int64_t thread)
{
    uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    return mixed(mixed(start + step) + ticks * step + (uint64_t)thread);
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t before = *a;
    *a = *b;
    *b = before;
}

static void sift_up(uint64_t *keys, uint32_t at)
{
    for (uint32_t above; at != 0 && keys[above = (at - 1) / 2] < keys[at]; at = above)
        swap(&keys[above], &keys[at]);
}

static void sift_down(uint64_t *keys, uint32_t count)
{
    for (uint32_t at = 0, below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && keys[below + 1] > keys[below])
            below++;
        if (keys[at] >= keys[below])
            return;
        swap(&keys[at], &keys[below]);
    }
}

static bool has_room(sp_thinning *thinning)
{
    if (thinning->count < thinning->capacity)
        return true;
    uint32_t capacity = thinning->capacity == 0 ? 64 : 2 * thinning->capacity;
    if (capacity > thinning->keep)
        capacity = thinning->keep;
    uint64_t *keys = sp_realloc(thinning->keys, capacity * sizeof *keys);
    if (keys == NULL)
        return false;
    thinning->keys = keys;
    thinning->capacity = capacity;
    return true;
}

bool sp_thinning_offer(sp_thinning *thinning, uint64_t key)
{
    if (thinning->count < thinning->keep) {
        if (has_room(thinning)) {
            thinning->keys[thinning->count] = key;
            sift_up(thinning->keys, thinning->count++);
        }
        return true;
    }
    if (key >= thinning->keys[0])
        return false;
    thinning->keys[0] = key;
    sift_down(thinning->keys, thinning->count);
    return true;
}

uint64_t sp_thinning_limit(const sp_thinning *thinning)
{
    return thinning->count < thinning->keep ? UINT64_MAX : thinning->keys[0];
}

bool sp_thinning_keeps(sp_thinning *thinning, uint64_t start, uint64_t ticks, int64_t thread)
{
    if (thinning->keep != 0)
        return sp_thinning_offer(thinning, sp_thinning_key(start, ticks, thread));
    return thinning->seen++ % thinning->every == 0;
}
