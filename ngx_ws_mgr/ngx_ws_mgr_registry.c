
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>


static void ngx_ws_mgr_registry_kick_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, ngx_uint_t code, ngx_ws_mgr_wake_t *wake);
static void ngx_ws_mgr_registry_seek_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_seek_t *seek);


ngx_int_t
ngx_ws_mgr_registry_connect(ngx_str_t *name, ngx_uint_t limit,
    ngx_uint_t oldest, ngx_ws_mgr_conn_t **connp)
{
    ngx_int_t             rc;
    ngx_queue_t          *q;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_wake_t     wake;
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_member_t  *member;

    rc = NGX_ERROR;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock_name(name, &user);

    if (user == NULL) {
        goto done;
    }

    if (limit && !oldest && user->nconns - user->kicked >= limit) {
        rc = NGX_DECLINED;
        goto done;
    }

    member = ngx_ws_mgr_member_get_locked(shard, user);
    if (member == NULL) {
        goto done;
    }

    /* counted as pending, the member is not released under the next call */
    member->pending++;

    conn = ngx_ws_mgr_shard_alloc_locked(shard, sizeof(ngx_ws_mgr_conn_t));
    if (conn == NULL) {
        member->pending--;
        ngx_ws_mgr_member_release_locked(shard, member);
        goto done;
    }

    for (q = ngx_queue_head(&user->conns);
         limit
         && user->nconns - user->kicked >= limit
         && q != ngx_queue_sentinel(&user->conns);
         q = ngx_queue_next(q))
    {
        ngx_ws_mgr_registry_kick_locked(shard,
                                ngx_queue_data(q, ngx_ws_mgr_conn_t, queue),
                                NGX_WS_MGR_CLOSE_REPLACED, &wake);
    }

    conn->node.key = ngx_ws_mgr_node_number();
    conn->member = member;
    conn->since = ngx_ws_mgr_now();
    conn->ordinal = ++shard->ordinal;

    ngx_rbtree_insert(&shard->conns, &conn->node);
    ngx_queue_insert_tail(&user->conns, &conn->queue);
    user->nconns++;
    shard->nconns++;

    *connp = conn;
    rc = NGX_OK;

done:

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    return rc;
}


void
ngx_ws_mgr_registry_open(ngx_ws_mgr_conn_t *conn, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    user = conn->member->user;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(user);

    conn->open = 1;
    conn->member->pending--;
    ngx_ws_mgr_member_sockets_locked(shard, conn->member, 1);
    ngx_ws_mgr_registry_seek_locked(shard, user, seek);
    conn->sent = seek->cursor;
    ngx_ws_mgr_member_mark_waiting_locked(shard, user, &wake);

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);
}


void
ngx_ws_mgr_registry_seek(ngx_ws_mgr_member_t *member, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(member->user);
    ngx_ws_mgr_registry_seek_locked(shard, member->user, seek);
    ngx_ws_mgr_shard_unlock(shard);
}


void
ngx_ws_mgr_registry_disconnect(ngx_ws_mgr_conn_t *conn)
{
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(conn->member->user);

    ngx_ws_mgr_member_mark_waiting_locked(shard, conn->member->user, &wake);
    ngx_ws_mgr_registry_remove_locked(shard, conn);

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);
}


ngx_int_t
ngx_ws_mgr_registry_thread(ngx_ws_mgr_conn_t *conn, ngx_str_t *thread)
{
    u_char              *p;
    ngx_int_t            rc;
    ngx_ws_mgr_shard_t  *shard;

    p = NULL;
    rc = NGX_OK;

    shard = ngx_ws_mgr_member_lock(conn->member->user);

    if (thread->len) {
        p = ngx_ws_mgr_shard_alloc_locked(shard, 1 + thread->len);

        if (p) {
            p[0] = (u_char) thread->len;
            ngx_memcpy(p + 1, thread->data, thread->len);

        } else {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_OK) {

        if (conn->thread) {
            ngx_ws_mgr_shard_free_locked(shard, conn->thread);
        }

        conn->thread = p;
    }

    ngx_ws_mgr_shard_unlock(shard);

    return rc;
}


ngx_int_t
ngx_ws_mgr_registry_confirm(ngx_ws_mgr_conn_t *conn, ngx_str_t *event_id,
    uint64_t seq)
{
    ngx_ws_mgr_log_t    *log;
    ngx_ws_mgr_event_t  *event;
    ngx_ws_mgr_shard_t  *shard;

    log = &conn->member->user->log;

    if (event_id && event_id->len) {
        shard = ngx_ws_mgr_member_lock(conn->member->user);

        event = ngx_ws_mgr_log_find(log, &shard->ids, event_id);
        seq = event ? event->seq : 0;

        ngx_ws_mgr_shard_unlock(shard);
    }

    if (seq == 0 || seq > conn->sent) {
        return NGX_DECLINED;
    }

    if (seq > conn->confirmed) {
        conn->confirmed = seq;
        ngx_ws_mgr_member_changed(conn->member);
    }

    return NGX_OK;
}


u_char *
ngx_ws_mgr_registry_conn_id(u_char *p, uint64_t number)
{
    p = ngx_cpymem(p, ngx_ws_mgr_node->name, NGX_WS_MGR_NODE_LEN);

    return ngx_sprintf(p, "-%016xL", number);
}


ngx_int_t
ngx_ws_mgr_registry_conn_number(ngx_str_t *id, uint64_t *number)
{
    u_char      *p;
    ngx_int_t    high, low;

    if (id->len != NGX_WS_MGR_CONN_LEN
        || ngx_memcmp(id->data, ngx_ws_mgr_node->name, NGX_WS_MGR_NODE_LEN)
        || id->data[NGX_WS_MGR_NODE_LEN] != '-')
    {
        return NGX_DECLINED;
    }

    p = id->data + NGX_WS_MGR_NODE_LEN + 1;
    high = ngx_hextoi(p, 8);
    low = ngx_hextoi(p + 8, 8);

    if (high == NGX_ERROR || low == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *number = (uint64_t) high << 32 | (uint64_t) low;

    return NGX_OK;
}


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

    if (user) {
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


void
ngx_ws_mgr_registry_remove_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn)
{
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_member_t  *member;

    member = conn->member;
    user = member->user;

    ngx_rbtree_delete(&shard->conns, &conn->node);
    ngx_queue_remove(&conn->queue);
    user->nconns--;
    shard->nconns--;

    if (conn->kick) {
        user->kicked--;
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


static void
ngx_ws_mgr_registry_kick_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, ngx_uint_t code, ngx_ws_mgr_wake_t *wake)
{
    if (conn->kick) {
        return;
    }

    conn->kick = (uint16_t) code;
    conn->member->user->kicked++;

    ngx_ws_mgr_member_mark_locked(shard, conn->member, wake);
}


static void
ngx_ws_mgr_registry_seek_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_log_t  *log;

    log = &user->log;
    ngx_ws_mgr_shard_age_locked(shard, user, ngx_ws_mgr_now());

    seek->end.epoch = log->epoch;
    seek->end.seq = log->last;
    seek->end.broadcast = log->broadcast;
    seek->gone = seek->end;
    seek->gone.seq = log->floor;
    seek->cursor = log->last;
    seek->replay = 0;
    seek->gap = NULL;

    if (!seek->asked) {
        return;
    }

    if (seek->from.epoch == 0) {
        seek->gap = "malformed";

    } else if (seek->from.epoch != log->epoch) {
        seek->gap = "unknown_epoch";

    } else if (seek->from.seq > log->last) {
        seek->gap = "unknown_position";

    } else if (seek->from.seq < log->floor) {
        seek->gap = "evicted";
    }

    seek->cursor = seek->gap ? log->floor : seek->from.seq;
    seek->replay = ngx_ws_mgr_log_matching(log, seek->cursor,
                                           ngx_ws_mgr_now(), seek->match,
                                           seek->data);
}
