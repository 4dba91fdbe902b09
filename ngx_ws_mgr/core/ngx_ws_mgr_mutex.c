
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_mutex.h>


/* pauses between two looks at a mutex, at most, before the kernel is asked to
   wait: sections are short, a sleep and a wake-up cost 20 times as much */
#define NGX_WS_MGR_MUTEX_SPIN  1024


static ngx_int_t ngx_ws_mgr_mutex_result(pthread_mutex_t *mutex,
    ngx_err_t err);


ngx_int_t
ngx_ws_mgr_mutex_create(pthread_mutex_t *mutex, ngx_log_t *log)
{
    ngx_err_t            err;
    pthread_mutexattr_t  attr;

    err = pthread_mutexattr_init(&attr);

    if (err == 0) {
        err = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);

        if (err == 0) {
            err = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
        }

        if (err == 0) {
            err = pthread_mutex_init(mutex, &attr);
        }

        (void) pthread_mutexattr_destroy(&attr);
    }

    if (err) {
        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "ws_mgr could not make a robust mutex");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_mutex_try(pthread_mutex_t *mutex)
{
    return ngx_ws_mgr_mutex_result(mutex, pthread_mutex_trylock(mutex));
}


ngx_int_t
ngx_ws_mgr_mutex_lock(pthread_mutex_t *mutex)
{
    ngx_int_t   rc;
    ngx_uint_t  i, n;

    rc = ngx_ws_mgr_mutex_try(mutex);

    for (n = 1; rc == NGX_DECLINED && n <= NGX_WS_MGR_MUTEX_SPIN; n <<= 1) {

        for (i = 0; i < n; i++) {
            ngx_cpu_pause();
        }

        rc = ngx_ws_mgr_mutex_try(mutex);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_ws_mgr_mutex_result(mutex, pthread_mutex_lock(mutex));
}


static ngx_int_t
ngx_ws_mgr_mutex_result(pthread_mutex_t *mutex, ngx_err_t err)
{
    switch (err) {

    case 0:
        return NGX_OK;

    case EBUSY:
        return NGX_DECLINED;

    case EOWNERDEAD:
        err = pthread_mutex_consistent(mutex);

        if (err == 0) {
            return NGX_ABORT;
        }
    }

    /* without it nothing that it guards may be touched */

    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, err,
                  "ws_mgr mutex can not be used");
    ngx_abort();

    return NGX_ERROR;
}
