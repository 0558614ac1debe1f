/* Preloaded: of a process's writes to regular files, the one that `short_at` counts to writes only half. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

long short_at = 0, regular_writes = 0;

ssize_t write(int file, const void *data, size_t count) {
    struct stat about;
    if (count > 1 && fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
        __sync_add_and_fetch(&regular_writes, 1) == short_at)
        count /= 2;
    return syscall(SYS_write, file, data, count);
}
