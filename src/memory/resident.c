#define _GNU_SOURCE
#include "memory/resident.h"

#include "base/clock.h"

#ifdef __linux__
#    include <fcntl.h>
#    include <pthread.h>
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

int64_t sp_resident(void)
{
    static int64_t page = 0;
    int64_t pages = read_pages();
    if (SP_UNLIKELY(pages < 0)) {
        page = sysconf(_SC_PAGESIZE);
        statm = open_statm();
        pages = read_pages();
    }
    return pages < 0 ? -1 : pages * page;
}

#else

int64_t sp_resident(void) { return -1; }

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
        last->at = sp_now();
    }
    return last->bytes;
}
