
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A mutex in shared memory that outlives its holder: whoever comes after a
 * process that died with it is told (pthread_mutexattr_setrobust()).  Neither
 * nginx's master nor a process id takes part in it.
 */


#ifndef _NGX_WS_MGR_MUTEX_H_INCLUDED_
#define _NGX_WS_MGR_MUTEX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>


/* once, before any process shares it; NGX_ERROR: it was logged */
ngx_int_t ngx_ws_mgr_mutex_create(pthread_mutex_t *mutex, ngx_log_t *log);

/*
 * NGX_OK: it is held; NGX_ABORT: the same, and its last holder died with it;
 * NGX_DECLINED: another holds it, and _try() does not wait.  A mutex that can
 * not be used at all ends the process.
 */
ngx_int_t ngx_ws_mgr_mutex_try(pthread_mutex_t *mutex);
ngx_int_t ngx_ws_mgr_mutex_lock(pthread_mutex_t *mutex);

#define ngx_ws_mgr_mutex_unlock(mutex)                                        \
    (void) pthread_mutex_unlock(mutex)


#endif /* _NGX_WS_MGR_MUTEX_H_INCLUDED_ */
