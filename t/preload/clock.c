
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * LD_PRELOAD: the wall clock of a process as a test sets it.  The file that
 * WS_MGR_CLOCK names holds two numbers of 64 bits, which are read at each call:
 * microseconds that the clock is ahead, and the microsecond at which it stands,
 * or 0 where it runs.  Monotonic clocks are left alone.
 */


#define _GNU_SOURCE

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static volatile int64_t  *set;


__attribute__((constructor))
static void
ws_mgr_clock_init(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("WS_MGR_CLOCK");
    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDONLY);
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (p != MAP_FAILED) {
        set = p;
    }

    close(fd);
}


int
clock_gettime(clockid_t id, struct timespec *t)
{
    int      rc;
    int64_t  us;

    rc = syscall(SYS_clock_gettime, id, t);

    if (rc != 0 || set == NULL
        || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
    {
        return rc;
    }

    us = set[1] ? set[1] : t->tv_sec * 1000000LL + t->tv_nsec / 1000 + set[0];

    t->tv_sec = us / 1000000;
    t->tv_nsec = us % 1000000 * 1000;

    return 0;
}


int
gettimeofday(struct timeval *v, void *zone)
{
    struct timespec  t;

    (void) zone;

    clock_gettime(CLOCK_REALTIME, &t);

    v->tv_sec = t.tv_sec;
    v->tv_usec = t.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *out)
{
    struct timespec  t;

    clock_gettime(CLOCK_REALTIME, &t);

    if (out != NULL) {
        *out = t.tv_sec;
    }

    return t.tv_sec;
}
