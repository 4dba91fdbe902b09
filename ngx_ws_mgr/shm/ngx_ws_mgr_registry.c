
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The registry, as a worker uses it for its own sockets: connect before the
 * 101, open, seek, sent, confirm, disconnect.  Each function takes the lock of
 * the shard itself, once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>


static ngx_ws_mgr_conn_t *ngx_ws_mgr_registry_settle_locked(
    ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_place_t *place);
static void ngx_ws_mgr_registry_free_hold(ngx_ws_mgr_hold_t *hold);
static void ngx_ws_mgr_registry_limit_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t limit, ngx_ws_mgr_wake_t *wake);
static void ngx_ws_mgr_registry_open_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_place_t *place);
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

    if (ngx_ws_mgr_registry_add_locked(shard, user,
                                       ngx_ws_mgr_registry_number(place)))
    {
        place->hold = hold;
        rc = NGX_OK;

        if (limit) {
            ngx_ws_mgr_registry_limit_locked(shard, user, limit, &wake);
        }
    }

done:

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    if (rc != NGX_OK) {
        ngx_free(hold);
    }

    return rc;
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


ngx_int_t
ngx_ws_mgr_registry_settle(ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_hold_t   *hold;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_shard_t  *shard;

    hold = place->hold;

    shard = ngx_ws_mgr_member_lock(hold);
    conn = ngx_ws_mgr_registry_settle_locked(shard, place);
    ngx_ws_mgr_shard_unlock(shard);

    ngx_ws_mgr_registry_free_hold(hold);

    return conn ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_ws_mgr_registry_open(ngx_ws_mgr_place_t *place, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_hold_t   *hold;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    hold = place->hold;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(hold);

    conn = ngx_ws_mgr_registry_settle_locked(shard, place);

    if (conn) {
        user = conn->member->user;

        ngx_ws_mgr_registry_open_locked(shard, place);
        ngx_ws_mgr_registry_seek_locked(shard, user, seek);
        conn->sent = seek->cursor;
        ngx_ws_mgr_member_mark_waiting_locked(shard, user, &wake);
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    /* not before: the seek may look at its name */
    ngx_ws_mgr_registry_free_hold(hold);

    return conn ? NGX_OK : NGX_ERROR;
}


/*
 * The connection of a place that is not settled, by its number, since the shard
 * may have been lost with it; then it is made again.  The hold is bound to the
 * member, or gives way to the one that is.  NULL: no memory, or too many.
 */

static ngx_ws_mgr_conn_t *
ngx_ws_mgr_registry_settle_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_place_t *place)
{
    ngx_str_t             name;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_hold_t    *hold;
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_member_t  *member;

    conn = ngx_ws_mgr_registry_find_locked(shard,
                                       ngx_ws_mgr_registry_number(place));

    if (conn == NULL) {
        name.data = place->hold->name;
        name.len = place->hold->len;

        user = ngx_ws_mgr_shard_find_locked(shard, &name);
        user = ngx_ws_mgr_member_user_locked(shard, user, &name);
        conn = user ? ngx_ws_mgr_registry_add_locked(shard, user,
                                            ngx_ws_mgr_registry_number(place))
                    : NULL;

        if (conn == NULL) {
            return NULL;
        }
    }

    member = conn->member;

    if (member->hold == NULL) {
        ngx_ws_mgr_member_bind_locked(member, place->hold);
    }

    hold = member->hold;

    if (hold->refs == NGX_WS_MGR_HOLD_REFS) {
        return NULL;
    }

    place->hold = hold;
    hold->refs++;
    place->conn = conn;
    place->settled = 1;

    return conn;
}


static void
ngx_ws_mgr_registry_free_hold(ngx_ws_mgr_hold_t *hold)
{
    if (hold->refs == 0) {
        ngx_free(hold);
    }
}


static void
ngx_ws_mgr_registry_open_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_conn_t  *conn;

    conn = place->conn;

    place->open = 1;
    conn->open = 1;
    shard->nopen++;
    conn->member->pending--;
    ngx_ws_mgr_member_sockets_locked(shard, conn->member, 1);
}


ngx_int_t
ngx_ws_mgr_registry_rejoin(ngx_ws_mgr_place_t *place,
    ngx_ws_mgr_position_t *end)
{
    ngx_int_t            rc;
    ngx_ws_mgr_log_t    *log;
    ngx_ws_mgr_hold_t   *hold;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    rc = NGX_ERROR;
    hold = place->hold;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(hold);

    hold->refs--;
    conn = ngx_ws_mgr_registry_settle_locked(shard, place);

    if (conn == NULL) {
        hold->refs++;

    } else {

        if (place->open) {
            ngx_ws_mgr_registry_open_locked(shard, place);
        }

        rc = ngx_ws_mgr_registry_thread_locked(shard, conn, place->thread);

        log = &conn->member->user->log;

        end->epoch = log->epoch;
        end->seq = log->floor;
        end->broadcast = 0;

        conn->sent = log->floor;
        ngx_ws_mgr_member_mark_waiting_locked(shard, conn->member->user,
                                              &wake);
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    ngx_ws_mgr_registry_free_hold(hold);

    return rc;
}


void
ngx_ws_mgr_registry_seek(ngx_ws_mgr_hold_t *hold, ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(hold);

    if (hold->member) {
        ngx_ws_mgr_registry_seek_locked(shard, hold->member->user, seek);

    } else {
        ngx_memzero(&seek->end, sizeof(ngx_ws_mgr_position_t));
        seek->gone = seek->end;
        seek->cursor = 0;
        seek->replay = 0;
        seek->gap = "unknown_epoch";
    }

    ngx_ws_mgr_shard_unlock(shard);
}


void
ngx_ws_mgr_registry_disconnect(ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_hold_t    *hold;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_wake_t     wake;
    ngx_ws_mgr_shard_t   *shard;

    hold = place->hold;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock(hold);

    conn = place->settled ? place->conn
                          : ngx_ws_mgr_registry_find_locked(shard,
                                       ngx_ws_mgr_registry_number(place));

    if (place->settled && --hold->refs == 0) {
        ngx_ws_mgr_member_unbind_locked(hold);
    }

    if (conn) {
        ngx_ws_mgr_member_mark_waiting_locked(shard, conn->member->user,
                                              &wake);
        ngx_ws_mgr_registry_remove_locked(shard, conn);
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    ngx_ws_mgr_registry_free_hold(hold);

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

    if (conn) {
        conn->bytes_in = bytes_in;
        conn->bytes_out = bytes_out;
    }

    /* a cursor that is to be reset says nothing of the log as it is now */

    if (conn && seq && conn->sent != *seq && !conn->member->reset) {
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
    code = place->conn ? place->conn->kick : 0;
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
    rc = place->conn ? ngx_ws_mgr_registry_thread_locked(shard, place->conn, p)
                     : NGX_OK;
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
    log = conn ? &conn->member->user->log : NULL;

    if (log && event_id && event_id->len) {
        event = ngx_ws_mgr_log_find(log, &shard->ids, event_id);
        seq = event ? event->seq : 0;
    }

    if (log && seq && seq <= conn->sent
        && (epoch == 0 || epoch == log->epoch))
    {
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
