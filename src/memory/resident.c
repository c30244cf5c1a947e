#define _GNU_SOURCE
#include "memory/resident.h"

#include "base/clock.h"

#ifdef __linux__
#    include <fcntl.h>
#    include <pthread.h>
#    include <sys/resource.h>
#    include <unistd.h>

/* /proc/self/statm, kept open. */
static int statm = -1;

/* What was opened before is of the parent. */
static void forget_in_child(void) { statm = -1; }

/* Where programs that count on the lowest numbers do not meet it. */
static int open_statm(void)
{
    enum { HIGH = 200 };
    static bool handled = false;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    int high = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, HIGH);
    if (high >= 0) {
        close(file);
        file = high;
    }
    if (!handled)
        handled = pthread_atfork(NULL, NULL, forget_in_child) == 0;
    return file;
}

/* Its second number, of pages; -1 when that is not what stands there: a program may have closed the file
 * and opened another. */
static int64_t read_pages(void)
{
    char text[64];
    ssize_t length = statm < 0 ? -1 : pread(statm, text, sizeof text - 1, 0);
    if (length <= 0)
        return -1;
    text[length] = 0;
    const char *at = text;
    while (*at >= '0' && *at <= '9')
        at++;
    if (at == text || *at++ != ' ' || *at < '0' || *at > '9')
        return -1;
    int64_t pages = 0;
    while (*at >= '0' && *at <= '9')
        pages = pages * 10 + (*at++ - '0');
    return pages;
}

static int64_t page_size(void)
{
    static int64_t size = 0;
    if (SP_UNLIKELY(size == 0))
        size = sysconf(_SC_PAGESIZE);
    return size;
}

int64_t sp_resident(void)
{
    int64_t pages = read_pages();
    if (SP_UNLIKELY(pages < 0)) {
        statm = open_statm();
        pages = read_pages();
    }
    return pages < 0 ? -1 : pages * page_size();
}

/* Of pages, that this thread has met; -1 when that cannot be told. */
static int64_t faults_here(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (int64_t)usage.ru_minflt + usage.ru_majflt
                                                 : -1;
}

#else

int64_t sp_resident(void) { return -1; }

static int64_t page_size(void) { return 0; }

static int64_t faults_here(void) { return -1; }

#endif

/* 5 microseconds, in ticks. */
static uint64_t window(void)
{
    static uint64_t ticks = 0;
    if (SP_UNLIKELY(ticks == 0)) {
        sp_clock_calibrate();
        ticks = (uint64_t)(5000 / sp_clock_scale()) + 1;
    }
    return ticks;
}

int64_t sp_resident_lately(sp_resident_reading *last, bool anew)
{
    if (anew || last->at == 0 || sp_now() - last->at > window()) {
        last->bytes = sp_resident();
        last->faults = faults_here();
        last->reckoned = 0;
        last->at = sp_now();
    }
    return last->bytes;
}

int64_t sp_resident_grown(sp_resident_reading *last)
{
    enum { OFTEN = 16 };
    int64_t faults =
        last->at != 0 && last->bytes >= 0 && ++last->reckoned < OFTEN ? faults_here() : -1;
    if (faults < 0 || last->faults < 0)
        return sp_resident_lately(last, true);
    last->bytes += (faults - last->faults) * page_size();
    last->faults = faults;
    last->at = sp_now();
    return last->bytes;
}
