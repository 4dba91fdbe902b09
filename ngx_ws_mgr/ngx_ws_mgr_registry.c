
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>


static ngx_int_t ngx_ws_mgr_registry_add_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_place_t *place,
    ngx_ws_mgr_hold_t *hold);
static void ngx_ws_mgr_registry_limit_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t limit, ngx_ws_mgr_wake_t *wake);
static void ngx_ws_mgr_registry_open_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_place_t *place);
static ngx_int_t ngx_ws_mgr_registry_thread_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, u_char *thread);
static void ngx_ws_mgr_registry_kick_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_conn_t *conn, ngx_uint_t code, ngx_ws_mgr_wake_t *wake);
static void ngx_ws_mgr_registry_seek_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_seek_t *seek);


ngx_int_t
ngx_ws_mgr_registry_connect(ngx_str_t *name, ngx_uint_t limit,
    ngx_uint_t oldest, ngx_ws_mgr_place_t *place)
{
    ngx_int_t             rc;
    ngx_ws_mgr_hold_t    *hold;
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_wake_t     wake;
    ngx_ws_mgr_shard_t   *shard;

    hold = ngx_ws_mgr_member_hold(name);
    if (hold == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    ngx_memzero(&wake, sizeof(wake));
    ngx_memzero(place, sizeof(ngx_ws_mgr_place_t));

    shard = ngx_ws_mgr_member_lock_name(name, &user);

    if (user == NULL) {
        goto done;
    }

    if (limit && !oldest && user->nconns - user->kicked >= limit) {
        rc = NGX_DECLINED;
        goto done;
    }

    place->number = ngx_ws_mgr_node_number();

    rc = ngx_ws_mgr_registry_add_locked(shard, user, place, hold);

    if (rc == NGX_OK && limit) {
        ngx_ws_mgr_registry_limit_locked(shard, user, limit, &wake);
    }

done:

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    if (place->hold != hold) {
        ngx_free(hold);
    }

    return rc;
}


/* the place's connection, not yet open; of the hold, where this worker has
   none of the user yet */

static ngx_int_t
ngx_ws_mgr_registry_add_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_place_t *place,
    ngx_ws_mgr_hold_t *hold)
{
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_member_t  *member;

    member = ngx_ws_mgr_member_get_locked(shard, user);
    if (member == NULL) {
        return NGX_ERROR;
    }

    /* counted as pending, the member is not released under the next call */
    member->pending++;

    conn = ngx_ws_mgr_shard_alloc_locked(shard, sizeof(ngx_ws_mgr_conn_t));
    if (conn == NULL) {
        member->pending--;
        ngx_ws_mgr_member_release_locked(shard, member);
        return NGX_ERROR;
    }

    if (member->hold == NULL) {
        ngx_ws_mgr_member_bind_locked(member, hold);
    }

    conn->node.key = ngx_ws_mgr_registry_number(place);
    conn->member = member;
    conn->since = ngx_ws_mgr_now();
    conn->ordinal = ++shard->ordinal;

    ngx_rbtree_insert(&shard->conns, &conn->node);
    ngx_queue_insert_tail(&user->conns, &conn->queue);
    user->nconns++;
    shard->nconns++;

    place->hold = member->hold;
    place->conn = conn;

    return NGX_OK;
}


/* asks the oldest to go, as many as are over the limit; the newest is not
   among them */

static void
ngx_ws_mgr_registry_limit_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t limit, ngx_ws_mgr_wake_t *wake)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&user->conns);
         user->nconns - user->kicked > limit
         && q != ngx_queue_last(&user->conns);
         q = ngx_queue_next(q))
    {
        ngx_ws_mgr_registry_kick_locked(shard,
                                ngx_queue_data(q, ngx_ws_mgr_conn_t, queue),
                                NGX_WS_MGR_CLOSE_REPLACED, wake);
    }
}


void
ngx_ws_mgr_registry_open(ngx_ws_mgr_place_t *place, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(place->hold);

    conn = place->conn;
    user = conn->member->user;

    ngx_ws_mgr_registry_open_locked(shard, place);
    ngx_ws_mgr_registry_seek_locked(shard, user, seek);
    conn->sent = seek->cursor;
    ngx_ws_mgr_member_mark_waiting_locked(shard, user, &wake);

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);
}


static void
ngx_ws_mgr_registry_open_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_conn_t  *conn;

    conn = place->conn;

    place->open = 1;
    conn->open = 1;
    conn->member->pending--;
    ngx_ws_mgr_member_sockets_locked(shard, conn->member, 1);
}


void
ngx_ws_mgr_registry_seek(ngx_ws_mgr_hold_t *hold, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(hold);
    ngx_ws_mgr_registry_seek_locked(shard, hold->member->user, seek);
    ngx_ws_mgr_shard_unlock(shard);
}


void
ngx_ws_mgr_registry_disconnect(ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_hold_t    *hold;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_wake_t     wake;
    ngx_ws_mgr_shard_t   *shard;

    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(place->hold);

    conn = place->conn;
    ngx_ws_mgr_member_mark_waiting_locked(shard, conn->member->user, &wake);
    hold = ngx_ws_mgr_member_unbind_locked(conn->member);
    ngx_ws_mgr_registry_remove_locked(shard, conn);

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    if (hold) {
        ngx_free(hold);
    }

    if (place->thread) {
        ngx_free(place->thread);
    }

    ngx_memzero(place, sizeof(ngx_ws_mgr_place_t));
}


void
ngx_ws_mgr_registry_sent(ngx_ws_mgr_place_t *place, uint64_t *seq,
    uint64_t bytes_in, uint64_t bytes_out)
{
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(place->hold);

    conn = place->conn;
    conn->bytes_in = bytes_in;
    conn->bytes_out = bytes_out;

    if (seq && conn->sent != *seq) {
        conn->sent = *seq;
        ngx_ws_mgr_member_mark_waiting_locked(shard, conn->member->user,
                                              &wake);
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);
}


ngx_uint_t
ngx_ws_mgr_registry_kicked(ngx_ws_mgr_place_t *place)
{
    ngx_uint_t           code;
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(place->hold);
    code = place->conn->kick;
    ngx_ws_mgr_shard_unlock(shard);

    return code;
}


void
ngx_ws_mgr_registry_who(ngx_ws_mgr_place_t *place, ngx_ws_mgr_who_t *who)
{
    who->number = ngx_ws_mgr_registry_number(place);
    who->thread = place->thread;
    who->user = place->hold->name;
    who->user_len = place->hold->len;
}


ngx_int_t
ngx_ws_mgr_registry_thread(ngx_ws_mgr_place_t *place, ngx_str_t *thread)
{
    u_char              *p, *old;
    ngx_int_t            rc;
    ngx_ws_mgr_shard_t  *shard;

    p = NULL;

    if (thread->len) {
        p = ngx_alloc(1 + thread->len, ngx_cycle->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        p[0] = (u_char) thread->len;
        ngx_memcpy(p + 1, thread->data, thread->len);
    }

    shard = ngx_ws_mgr_member_lock(place->hold);
    rc = ngx_ws_mgr_registry_thread_locked(shard, place->conn, p);
    ngx_ws_mgr_shard_unlock(shard);

    old = p;

    if (rc == NGX_OK) {
        old = place->thread;
        place->thread = p;
    }

    if (old) {
        ngx_free(old);
    }

    return rc;
}


/* the thread is as in a place */

static ngx_int_t
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


ngx_int_t
ngx_ws_mgr_registry_confirm(ngx_ws_mgr_place_t *place, ngx_str_t *event_id,
    uint64_t epoch, uint64_t seq)
{
    ngx_int_t            rc;
    ngx_ws_mgr_log_t    *log;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_event_t  *event;
    ngx_ws_mgr_shard_t  *shard;

    rc = NGX_DECLINED;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(place->hold);

    conn = place->conn;
    log = &conn->member->user->log;

    if (event_id && event_id->len) {
        event = ngx_ws_mgr_log_find(log, &shard->ids, event_id);
        seq = event ? event->seq : 0;
    }

    if (seq && seq <= conn->sent && (epoch == 0 || epoch == log->epoch)) {
        rc = NGX_OK;
    }

    if (rc == NGX_OK && seq > conn->confirmed) {
        conn->confirmed = seq;
        ngx_ws_mgr_member_mark_waiting_locked(shard, conn->member->user,
                                              &wake);
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    return rc;
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
