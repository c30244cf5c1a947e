#include "journal/mapped_file.h"

#include "base/heap.h"
#include "base/platform.h"

#include <errno.h>

#ifdef _WIN32

sp_mapped_file *sp_mapped_file_create(const char *path, int *error)
{
    (void)path;
    *error = ENOSYS;
    return NULL;
}
int64_t sp_mapped_file_process(void) { return 0; }
int sp_mapped_file_grow(sp_mapped_file *mapped, size_t length, char **address)
{
    (void)mapped, (void)length, (void)address;
    return ENOSYS;
}
void sp_mapped_file_unlink(const char *path, uint64_t device, uint64_t inode)
{
    (void)path, (void)device, (void)inode;
}
void sp_mapped_file_close(sp_mapped_file *mapped) { (void)mapped; }
void sp_mapped_file_free(sp_mapped_file *mapped) { (void)mapped; }

#else

#    include <fcntl.h>
#    include <pthread.h>
#    include <sys/mman.h>
#    include <sys/resource.h>
#    include <sys/stat.h>
#    include <unistd.h>

/* ---- Forks -------------------------------------------------------------------------------
 *
 * A child would write to the file of its parent. At once, before anything of Python's runs there, what is
 * mapped becomes memory of its own, which nobody reads: its run begins anew. */

static sp_mapped_file *every;
static sp_mutex every_lock;

static bool is_open(const sp_mapped_file *mapped)
{
    struct stat found;
    return mapped->file >= 0 && fstat(mapped->file, &found) == 0
           && (uint64_t)found.st_dev == mapped->device && (uint64_t)found.st_ino == mapped->inode;
}

static void leave_to_parent(void)
{
    every_lock = 0;
    for (sp_mapped_file *mapped = every; mapped != NULL; mapped = mapped->next) {
        for (size_t i = 0; i < mapped->count; i++)
            (void)mmap(mapped->mappings[i].address, mapped->mappings[i].length,
                       PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        sp_mapped_file_close(mapped);
    }
}

static bool watch_forks(void)
{
    static bool watched = false;
    if (!watched)
        watched = pthread_atfork(NULL, NULL, leave_to_parent) == 0;
    return watched;
}

static void enter_list(sp_mapped_file *mapped)
{
    SP_LOCK(&every_lock);
    mapped->next = every;
    mapped->link = &every;
    if (every != NULL)
        every->link = &mapped->next;
    every = mapped;
    SP_UNLOCK(&every_lock);
}

void sp_mapped_file_free(sp_mapped_file *mapped)
{
    sp_mapped_file_close(mapped);
    SP_LOCK(&every_lock);
    *mapped->link = mapped->next;
    if (mapped->next != NULL)
        mapped->next->link = mapped->link;
    SP_UNLOCK(&every_lock);
    for (size_t i = 0; i < mapped->count; i++)
        munmap(mapped->mappings[i].address, mapped->mappings[i].length);
    sp_free(mapped->mappings);
    sp_free(mapped);
}

int64_t sp_mapped_file_process(void) { return getpid(); }

/* ---- The file ---------------------------------------------------------------------------- */

/* Who looks for journals that were left sees by the lock whether their process lives. It is on a byte
 * that the file does not have. */
static void lock(int file)
{
#    ifdef F_OFD_SETLK
    struct flock whole = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)1 << 62, .l_len = 1};
    (void)fcntl(file, F_OFD_SETLK, &whole); /* without locks the process is asked for */
#    else
    (void)file;
#    endif
}

static int open_new(const char *path, struct stat *found)
{
    enum { HIGH = 200 }; /* where programs that count on the lowest numbers do not meet it */
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int high = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, HIGH);
    if (high >= 0) {
        close(file);
        file = high;
    }
    if (file >= 0 && fstat(file, found) < 0) {
        close(file);
        file = -1;
    }
    return file;
}

sp_mapped_file *sp_mapped_file_create(const char *path, int *error)
{
    struct stat found;
    sp_mapped_file *mapped = sp_calloc(1, sizeof *mapped);
    if (mapped == NULL || !watch_forks()) {
        sp_free(mapped);
        *error = ENOMEM;
        return NULL;
    }
    mapped->file = open_new(path, &found);
    if (mapped->file < 0) {
        *error = errno;
        sp_free(mapped);
        return NULL;
    }
    lock(mapped->file);
    mapped->device = (uint64_t)found.st_dev;
    mapped->inode = (uint64_t)found.st_ino;
    enter_list(mapped);
    return mapped;
}

void sp_mapped_file_close(sp_mapped_file *mapped)
{
    if (is_open(mapped))
        close(mapped->file);
    mapped->file = -1;
}

void sp_mapped_file_unlink(const char *path, uint64_t device, uint64_t inode)
{
    struct stat found;
    if (lstat(path, &found) == 0 && (uint64_t)found.st_dev == device
        && (uint64_t)found.st_ino == inode)
        unlink(path);
}

/* ---- Growing ----------------------------------------------------------------------------- */

/* Have the blocks of the disk, and write zeros to them. File systems that give blocks when a page is
 * written back for the first time need the one, those that know no fallocate() the other; and pages that
 * are in memory already are cheaper to write to than memory of the process that is new. */
static int take_space(const sp_mapped_file *mapped, size_t length)
{
    static const char zeros[1 << 16];
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
        && mapped->size + length > limit.rlim_cur)
        return EFBIG; /* and no SIGXFSZ */
#    ifdef __linux__
    while (fallocate(mapped->file, 0, (off_t)mapped->size, (off_t)length) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EOPNOTSUPP || errno == ENOSYS)
            break;
        return errno;
    }
#    endif
    for (size_t done = 0; done < length;) {
        size_t part = length - done < sizeof zeros ? length - done : sizeof zeros;
        ssize_t written = pwrite(mapped->file, zeros, part, (off_t)(mapped->size + done));
        if (written > 0)
            done += (size_t)written;
        else if (written == 0)
            return ENOSPC;
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

int sp_mapped_file_grow(sp_mapped_file *mapped, size_t length, char **address)
{
    if (!is_open(mapped))
        return EBADF;
    if (mapped->count == mapped->capacity) {
        size_t capacity = mapped->capacity == 0 ? 16 : 2 * mapped->capacity;
        sp_mapping *mappings = sp_realloc(mapped->mappings, capacity * sizeof *mappings);
        if (mappings == NULL)
            return ENOMEM;
        mapped->mappings = mappings;
        mapped->capacity = capacity;
    }
    int error = take_space(mapped, length);
    if (error != 0)
        return error;
    void *found =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, mapped->file, (off_t)mapped->size);
    if (found == MAP_FAILED)
        return errno;
    mapped->mappings[mapped->count++] = (sp_mapping){found, length};
    mapped->size += length;
    *address = found;
    return 0;
}

#endif
