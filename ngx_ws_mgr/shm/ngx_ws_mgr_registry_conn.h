
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#ifndef _NGX_WS_MGR_REGISTRY_CONN_H_INCLUDED_
#define _NGX_WS_MGR_REGISTRY_CONN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>


/* All of these are called under the lock of the shard. */

/* a record of a connection that is not routable yet; NULL: no memory */
ngx_ws_mgr_conn_t *ngx_ws_mgr_registry_add_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, uint64_t number);

/* by number, within the shard */
ngx_ws_mgr_conn_t *ngx_ws_mgr_registry_find_locked(ngx_ws_mgr_shard_t *shard,
    uint64_t number);

/* the last connection takes its member along, and the last member the user */
void ngx_ws_mgr_registry_remove_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn);

/* "thread" begins with its length; NULL: no thread.  NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_registry_thread_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, u_char *thread);

/* asks the worker of the connection to close the socket with that code; the
   first code stays */
void ngx_ws_mgr_registry_kick_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, ngx_uint_t code, ngx_ws_mgr_wake_t *wake);


#endif /* _NGX_WS_MGR_REGISTRY_CONN_H_INCLUDED_ */
