
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * LD_PRELOAD: memory that is refused.  The file that WS_MGR_MEMORY names holds
 * two numbers of 64 bits, which are read at each call: n and a seed; about one
 * call in n returns NULL, or none where n is 0.  A process is spared until it
 * waits for events: nginx's master, and each worker while it starts.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>


extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);


static volatile uint64_t  *set;
static unsigned            waits;


__attribute__((constructor))
static void
ws_mgr_memory_init(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("WS_MGR_MEMORY");
    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDONLY);
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, 2 * sizeof(uint64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (p != MAP_FAILED) {
        set = p;
    }

    close(fd);
}


static int
ws_mgr_memory_refused(void)
{
    static uint64_t  state, seed;

    if (set == NULL || waits < 2 || set[0] == 0) {
        return 0;
    }

    if (seed != set[1]) {
        seed = set[1];
        state = seed * 0x9e3779b97f4a7c15 | 1;
    }

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    if ((state >> 11) % set[0] != 0) {
        return 0;
    }

    errno = ENOMEM;

    return 1;
}


int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    /* the first time nginx tries what epoll can do */

    waits++;

    return syscall(SYS_epoll_pwait, fd, events, n, timeout, NULL, 8);
}


void *
malloc(size_t size)
{
    return ws_mgr_memory_refused() ? NULL : __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    return ws_mgr_memory_refused() ? NULL : __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    return ws_mgr_memory_refused() ? NULL : __libc_realloc(p, size);
}


void *
memalign(size_t alignment, size_t size)
{
    return ws_mgr_memory_refused() ? NULL : __libc_memalign(alignment, size);
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    void  *got;

    got = memalign(alignment, size);
    if (got == NULL) {
        return ENOMEM;
    }

    *p = got;

    return 0;
}
