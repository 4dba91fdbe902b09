
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What nginx's main() does before anything is allocated, for a fuzz target.
 *
 * A target t/fuzz/<noun>.c defines LLVMFuzzerTestOneInput().  It is linked
 * with this by "make fuzz", and with replay.c into a module that "make test"
 * runs inside nginx over t/fuzz/corpus/<noun>/.  In both there is a
 * ngx_cycle, with a log.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <nginx.h>


int LLVMFuzzerInitialize(int *argc, char ***argv);


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static ngx_log_t        log;
    static ngx_cycle_t      cycle;
    static ngx_open_file_t  file;

    ngx_argc = *argc;
    ngx_os_argv = *argv;

    ngx_time_init();

    file.fd = ngx_stderr;
    log.file = &file;
    log.log_level = NGX_LOG_EMERG;

    cycle.log = &log;
    ngx_cycle = &cycle;

    if (ngx_os_init(&log) != NGX_OK) {
        return 1;
    }

    ngx_slab_sizes_init();

    cycle.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &log);

    return (cycle.pool == NULL);
}
