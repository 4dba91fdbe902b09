
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Records of connections in a shard, under its lock: found by number, counted
 * in their user and their member.  A record is added before the 101 and removed
 * by the worker that added it, or by the sweep after that worker died.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry_conn.h>


/* the place's connection, not yet open; NULL: no memory */

ngx_ws_mgr_conn_t *
ngx_ws_mgr_registry_add_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, uint64_t number)
{
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_member_t  *member;

    member = ngx_ws_mgr_member_get_locked(shard, user);
    if (member == NULL) {
        return NULL;
    }

    /* counted as pending, the member is not released under the next call */
    member->pending++;

    conn = ngx_ws_mgr_shard_calloc_locked(shard, sizeof(ngx_ws_mgr_conn_t));
    if (conn == NULL) {
        member->pending--;
        ngx_ws_mgr_member_release_locked(shard, member);
        return NULL;
    }

    conn->node.key = number;
    conn->member = member;
    conn->since = ngx_ws_mgr_now();
    conn->ordinal = ++shard->ordinal;

    ngx_rbtree_insert(&shard->conns, &conn->node);
    ngx_ws_mgr_failpoint_midst();
    ngx_queue_insert_tail(&user->conns, &conn->queue);
    user->nconns++;
    shard->nconns++;

    return conn;
}


ngx_ws_mgr_conn_t *
ngx_ws_mgr_registry_find_locked(ngx_ws_mgr_shard_t *shard, uint64_t number)
{
    ngx_rbtree_node_t  *node;

    node = shard->conns.root;

    while (node != shard->conns.sentinel) {

        if (number == node->key) {
            return (ngx_ws_mgr_conn_t *) node;
        }

        node = (number < node->key) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_ws_mgr_registry_remove_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn)
{
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_member_t  *member;

    member = conn->member;
    user = member->user;

    ngx_rbtree_delete(&shard->conns, &conn->node);
    ngx_ws_mgr_failpoint_midst();
    ngx_queue_remove(&conn->queue);
    user->nconns--;
    shard->nconns--;

    shard->nopen -= conn->open;

    if (conn->kick) {
        user->kicked--;
        shard->nkicked--;
    }

    if (conn->thread) {
        ngx_ws_mgr_shard_free_locked(shard, conn->thread);
    }

    if (conn->open) {
        ngx_ws_mgr_member_sockets_locked(shard, member, -1);

    } else {
        member->pending--;
    }

    ngx_ws_mgr_shard_free_locked(shard, conn);
    ngx_ws_mgr_member_release_locked(shard, member);
}


/* the thread is as in a place */

ngx_int_t
ngx_ws_mgr_registry_thread_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, u_char *thread)
{
    u_char  *p;

    p = NULL;

    if (thread) {
        p = ngx_ws_mgr_shard_alloc_locked(shard, 1 + thread[0]);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, thread, 1 + thread[0]);
    }

    if (conn->thread) {
        ngx_ws_mgr_shard_free_locked(shard, conn->thread);
    }

    conn->thread = p;

    return NGX_OK;
}


void
ngx_ws_mgr_registry_kick_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, ngx_uint_t code, ngx_ws_mgr_wake_t *wake)
{
    if (conn->kick) {
        return;
    }

    conn->kick = (uint16_t) code;
    conn->member->user->kicked++;
    shard->nkicked++;

    ngx_ws_mgr_member_mark_locked(shard, conn->member, wake);
}
