#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#ifdef _WIN32
#include <windows.h>
#endif

#include "base/heap.h"
#include "base/platform.h"

sp_clock_state sp_clock = {.source = SP_CLOCK_MONOTONIC};

/* From `ticks` on, to the next one's, time is ns + slope * (now - ticks). */
typedef struct {
    uint64_t ticks;
    double ns; /* past the first piece's, so that a double holds it to the ns */
    double slope;
} piece;

static struct {
    piece *pieces; /* Owned. */
    size_t count, capacity;
    int64_t origin_ns; /* of the first piece, on the perf_counter_ns() axis */
    uint64_t settled;  /* what lies before has been converted and must not change */
    sp_mutex lock;
} line;

/* The clock behind time.perf_counter_ns(). */
static uint64_t monotonic_ns(void)
{
#if defined(_WIN32)
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    uint64_t whole = (uint64_t)(count.QuadPart / frequency.QuadPart);
    uint64_t rest = (uint64_t)(count.QuadPart % frequency.QuadPart);
    return whole * 1000000000u + rest * 1000000000u / (uint64_t)frequency.QuadPart;
#elif defined(__APPLE__)
    return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

uint64_t sp_now_slow(void)
{
    return sp_clock.source == SP_CLOCK_FAKE ? sp_clock.fake : monotonic_ns();
}

/* The kernel has watched the counter since boot, on all processors: when it keeps its own time
 * by it, we may too. Where it cannot be asked, the architecture's promise decides. */
static bool counter_is_trusted(void)
{
#if !SP_HAVE_COUNTER
    return false;
#elif defined(__linux__)
    char name[32] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
    if (file == NULL)
        return false;
    bool read = fgets(name, sizeof name, file) != NULL;
    fclose(file);
    return read && (strncmp(name, "tsc", 3) == 0 || strncmp(name, "arch_sys_counter", 16) == 0);
#else
    return false;
#endif
}

/* Both clocks at one instant: the counter is read between two monotonic readings, and the
 * closest of a few tries wins, so that an interruption in between does no harm. */
static void read_both(uint64_t *ticks, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int attempt = 0; attempt < 8; attempt++) {
        uint64_t before = sp_counter(), now = monotonic_ns(), after = sp_counter();
        if (after - before < best) {
            best = after - before;
            *ticks = before + (after - before) / 2;
            *ns = now;
        }
    }
}

void sp_clock_init(void)
{
    sp_clock.source = counter_is_trusted() ? SP_CLOCK_COUNTER : SP_CLOCK_MONOTONIC;
    if (sp_clock.source != SP_CLOCK_COUNTER || line.count != 0)
        return;
    uint64_t ticks = 0, ns = 0;
    line.pieces = sp_malloc(sizeof *line.pieces);
    if (line.pieces == NULL) {
        sp_clock.source = SP_CLOCK_MONOTONIC;
        return;
    }
    read_both(&ticks, &ns);
    line.pieces[0] = (piece){.ticks = ticks};
    line.count = line.capacity = 1;
    line.origin_ns = (int64_t)ns;
    line.settled = ticks;
}

/* The piece that an instant lies on. Instants come in runs of neighbours, so it is mostly the
 * last one asked for. */
static const piece *piece_at(uint64_t ticks)
{
    static size_t hint = 0;
    size_t at = hint < line.count ? hint : 0;
    if (ticks < line.pieces[at].ticks
        || (at + 1 < line.count && ticks >= line.pieces[at + 1].ticks)) {
        size_t low = 0, high = line.count;
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (line.pieces[middle].ticks <= ticks)
                low = middle;
            else
                high = middle;
        }
        at = hint = low;
    }
    return &line.pieces[at];
}

static double ns_at(uint64_t ticks)
{
    const piece *here = piece_at(ticks);
    return here->ns + here->slope * (double)(int64_t)(ticks - here->ticks);
}

/* The slope that leads from `settled` to the new reading. Over a short way that would follow the
 * jitter of the readings, so it stays within a thousandth of the mean course. */
static double slope_to(uint64_t ticks, double ns, double mean)
{
    double slope = (ns - ns_at(line.settled)) / (double)(ticks - line.settled);
    if (slope > 1.001 * mean)
        return 1.001 * mean;
    return slope < 0.999 * mean ? 0.999 * mean : slope;
}

static void add_piece(piece next)
{
    if (line.count == line.capacity) {
        size_t capacity = 2 * line.capacity;
        piece *pieces = sp_realloc(line.pieces, capacity * sizeof *pieces);
        if (pieces == NULL)
            return; /* go on along the last piece */
        line.pieces = pieces;
        line.capacity = capacity;
    }
    line.pieces[line.count++] = next;
}

void sp_clock_calibrate(void)
{
    if (sp_clock.source != SP_CLOCK_COUNTER)
        return;
    uint64_t ticks = 0, ns = 0;
    read_both(&ticks, &ns);
    SP_LOCK(&line.lock);
    double past = (double)((int64_t)ns - line.origin_ns);
    const piece *first = &line.pieces[0], *last = &line.pieces[line.count - 1];
    if (ticks > line.settled && past > 0.0) {
        if (first->slope == 0.0)
            line.pieces[0].slope = past / (double)(ticks - first->ticks);
        /* New pieces when the last is 1/64 of the whole, so that they stay few: one to the reading,
         * and from there on the mean course, as a correction must not go on. */
        else if (ticks - last->ticks > (ticks - first->ticks) / 64) {
            double mean = past / (double)(ticks - first->ticks);
            add_piece((piece){line.settled, ns_at(line.settled), slope_to(ticks, past, mean)});
            add_piece((piece){ticks, ns_at(ticks), mean});
        }
        line.settled = ticks;
    }
    SP_UNLOCK(&line.lock);
}

void sp_clock_pair(uint64_t *ticks, int64_t *ns)
{
    uint64_t at = 0;
    if (sp_clock.source == SP_CLOCK_COUNTER)
        read_both(ticks, &at);
    else
        at = *ticks = sp_now();
    *ns = (int64_t)at;
}

void sp_clock_first_pair(uint64_t *ticks, int64_t *ns)
{
    *ticks = 0;
    *ns = 0;
    if (sp_clock.source != SP_CLOCK_COUNTER)
        return;
    SP_LOCK(&line.lock);
    *ticks = line.pieces[0].ticks;
    *ns = line.origin_ns;
    SP_UNLOCK(&line.lock);
}

int64_t sp_clock_instant_ns(uint64_t ticks)
{
    if (sp_clock.source != SP_CLOCK_COUNTER)
        return (int64_t)ticks;
    SP_LOCK(&line.lock);
    int64_t ns = line.origin_ns + llrint(ns_at(ticks));
    SP_UNLOCK(&line.lock);
    return ns;
}

int64_t sp_clock_duration_ns(uint64_t start, uint64_t ticks)
{
    if (sp_clock.source != SP_CLOCK_COUNTER)
        return (int64_t)ticks;
    SP_LOCK(&line.lock);
    const piece *here = piece_at(start);
    bool inside = here + 1 == line.pieces + line.count || start + ticks < here[1].ticks;
    double ns = inside ? here->slope * (double)ticks : ns_at(start + ticks) - ns_at(start);
    SP_UNLOCK(&line.lock);
    return llrint(ns);
}

double sp_clock_scale(void)
{
    double scale = 1.0;
    if (sp_clock.source != SP_CLOCK_COUNTER)
        return scale;
    SP_LOCK(&line.lock);
    bool is_known = line.settled != line.pieces[0].ticks;
    SP_UNLOCK(&line.lock);
    if (!is_known)
        sp_clock_calibrate();
    SP_LOCK(&line.lock);
    if (line.settled != line.pieces[0].ticks)
        scale = ns_at(line.settled) / (double)(line.settled - line.pieces[0].ticks);
    SP_UNLOCK(&line.lock);
    return scale;
}

int64_t sp_clock_scaled_ns(int64_t ticks, double scale)
{
    return sp_clock.source == SP_CLOCK_COUNTER ? llrint((double)ticks * scale) : ticks;
}

int64_t sp_clock_span_ns(int64_t ticks) { return sp_clock_scaled_ns(ticks, sp_clock_scale()); }

const char *sp_clock_name(void)
{
    switch (sp_clock.source) {
    case SP_CLOCK_COUNTER:
#if defined(__aarch64__)
        return "cntvct_el0";
#else
        return "rdtsc";
#endif
    case SP_CLOCK_FAKE:
        return "fake";
    default:
        return "monotonic";
    }
}

void sp_clock_fake(uint64_t ns)
{
    sp_clock.source = SP_CLOCK_FAKE;
    sp_clock.fake = ns;
}

void sp_clock_real(void) { sp_clock_init(); }
