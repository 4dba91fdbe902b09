
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Kicks: the close code is noted in the record of the connection, and the
 * worker that owns the socket is woken and closes it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>


ngx_uint_t
ngx_ws_mgr_registry_kick_user(ngx_str_t *name, ngx_uint_t code)
{
    ngx_uint_t           n;
    ngx_queue_t         *q;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    n = 0;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_shard_lock_name(name, &user);

    if (user && user->nconns) {
        n = user->nconns - user->kicked;

        for (q = ngx_queue_head(&user->conns);
             q != ngx_queue_sentinel(&user->conns);
             q = ngx_queue_next(q))
        {
            ngx_ws_mgr_registry_kick_locked(shard,
                                ngx_queue_data(q, ngx_ws_mgr_conn_t, queue),
                                code, &wake);
        }
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    return n;
}


ngx_uint_t
ngx_ws_mgr_registry_kick_conn(uint64_t number, ngx_uint_t code)
{
    ngx_uint_t           i, n;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    n = 0;
    ngx_memzero(&wake, sizeof(wake));

    for (i = 0; n == 0 && i < ngx_ws_mgr_registry_conf->nshards; i++) {
        shard = ngx_ws_mgr_shard_at(i);

        ngx_ws_mgr_shard_lock(shard);

        conn = ngx_ws_mgr_registry_find_locked(shard, number);

        if (conn) {
            ngx_ws_mgr_registry_kick_locked(shard, conn, code, &wake);
            n = 1;
        }

        ngx_ws_mgr_shard_unlock(shard);
    }

    ngx_ws_mgr_member_wake(&wake);

    return n;
}
