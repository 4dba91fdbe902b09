
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Fault injection: in a build with NGX_WS_MGR_FAILPOINTS (make failpoints) a
 * worker that comes to a point, and finds a file of its name in the directory
 * that WS_MGR_FAILPOINTS in the environment names, takes the file away and dies
 * of SIGKILL.  A point is named by the function that it is in: each function
 * that unlocks a shard has one just before, and "_midst" is where data are half
 * changed.
 *
 * A file "slab" in that directory holds a number n: about one request in n for
 * shared memory is refused.
 */


#ifndef _NGX_WS_MGR_FAILPOINT_H_INCLUDED_
#define _NGX_WS_MGR_FAILPOINT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_WS_MGR_FAILPOINTS)

static inline void
ngx_ws_mgr_failpoint(const char *function, const char *where)
{
    const char  *dir;
    u_char       path[NGX_MAX_PATH];

    dir = getenv("WS_MGR_FAILPOINTS");
    if (dir == NULL) {
        return;
    }

    *ngx_snprintf(path, sizeof(path) - 1, "%s/%s%s", dir, function, where)
        = '\0';

    if (unlink((char *) path) == 0) {
        (void) kill(getpid(), SIGKILL);
    }
}


static inline ngx_uint_t
ngx_ws_mgr_failpoint_refuses(void)
{
    int              fd;
    u_char           path[NGX_MAX_PATH], text[NGX_INT_T_LEN];
    ssize_t          len;
    ngx_int_t        n;
    const char      *dir;
    static uint32_t  state = 2463534242U;

    dir = getenv("WS_MGR_FAILPOINTS");
    if (dir == NULL) {
        return 0;
    }

    *ngx_snprintf(path, sizeof(path) - 1, "%s/slab", dir) = '\0';

    fd = open((char *) path, O_RDONLY);
    if (fd == -1) {
        return 0;
    }

    len = read(fd, text, sizeof(text));
    (void) close(fd);

    n = (len > 0) ? ngx_atoi(text, len) : NGX_ERROR;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;

    return n > 0 && state % n == 0;
}


#define ngx_ws_mgr_failpoint_midst()  ngx_ws_mgr_failpoint(__func__, "_midst")
#define ngx_ws_mgr_failpoint_end()    ngx_ws_mgr_failpoint(__func__, "")

#else

#define ngx_ws_mgr_failpoint_midst()
#define ngx_ws_mgr_failpoint_end()    (void) 0
#define ngx_ws_mgr_failpoint_refuses()  0

#endif


#endif /* _NGX_WS_MGR_FAILPOINT_H_INCLUDED_ */
