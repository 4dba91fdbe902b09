
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>


static ngx_ws_mgr_feed_e ngx_ws_mgr_feed_one_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_wake_t *wake);
static void ngx_ws_mgr_feed_known_locked(ngx_ws_mgr_user_t *user,
    ngx_ws_mgr_publish_t *p);
static ngx_ws_mgr_feed_e ngx_ws_mgr_feed_put_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_wake_t *wake);
static void ngx_ws_mgr_feed_restart_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, uint64_t epoch, uint64_t seq,
    ngx_ws_mgr_wake_t *wake);


ngx_ws_mgr_feed_e
ngx_ws_mgr_publish_feed(ngx_str_t *name, uint64_t epoch,
    ngx_ws_mgr_publish_t **p, ngx_uint_t n, ngx_uint_t load)
{
    ngx_uint_t           i;
    ngx_ws_mgr_feed_e    rc;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(&wake, sizeof(wake));
    rc = NGX_WS_MGR_FEED_OK;

    for (i = 0; i < n; i++) {
        p[i]->sockets = 0;
        p[i]->unknown_sockets = 0;
    }

    shard = ngx_ws_mgr_shard_lock_name(name, &user);

    if (user == NULL || (user->members == NULL && !load)) {
        rc = NGX_WS_MGR_FEED_NOBODY;
        goto done;
    }

    if (!user->log.shared || user->log.epoch != epoch) {
        rc = NGX_WS_MGR_FEED_EPOCH;
        goto unknown;
    }

    /* it must not go under pressure while it is worked with */
    ngx_ws_mgr_shard_unrest_locked(shard, user);

    for (i = 0; i < n && rc == NGX_WS_MGR_FEED_OK; i++) {
        rc = ngx_ws_mgr_feed_one_locked(shard, user, p[i], &wake);
    }

    if (user->members == NULL) {
        ngx_ws_mgr_shard_rest_locked(shard, user);
    }

    if (rc == NGX_WS_MGR_FEED_OK) {
        goto done;
    }

    p += i - 1;
    n -= i - 1;

unknown:

    for (i = 0; i < n; i++) {
        p[i]->unknown_sockets = 1;
    }

done:

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    return rc;
}


static ngx_ws_mgr_feed_e
ngx_ws_mgr_feed_one_locked(ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake)
{
    uint64_t           seq, stamp;
    ngx_ws_mgr_log_t  *log;

    log = &user->log;
    seq = p->entry.seq;

    if (seq == log->last + 1) {
        return ngx_ws_mgr_feed_put_locked(shard, user, p, wake);
    }

    if (seq > log->last) {
        return NGX_WS_MGR_FEED_HOLE;
    }

    stamp = ngx_ws_mgr_log_stamp(log, seq);

    if (stamp) {

        if (stamp != p->entry.now) {
            return NGX_WS_MGR_FEED_DIVERGED;
        }

        ngx_ws_mgr_feed_known_locked(user, p);
        return NGX_WS_MGR_FEED_OK;
    }

    /* one that was here and is gone, unless the past is being loaded */

    if (seq != log->floor || p->match) {
        p->unknown_sockets = 1;
        return NGX_WS_MGR_FEED_OK;
    }

    return ngx_ws_mgr_publish_append_locked(shard, user, &p->entry)
           ? NGX_WS_MGR_FEED_OK : NGX_WS_MGR_FEED_NO_MEMORY;
}


/* another worker was faster */

static void
ngx_ws_mgr_feed_known_locked(ngx_ws_mgr_user_t *user, ngx_ws_mgr_publish_t *p)
{
    ngx_ws_mgr_log_t    *log;
    ngx_ws_mgr_event_t  *event;

    log = &user->log;
    event = log->ring[p->entry.seq & (log->size - 1)];

    p->sockets = event->sockets;
    p->unknown_sockets = event->unknown_sockets;
}


static ngx_ws_mgr_feed_e
ngx_ws_mgr_feed_put_locked(ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake)
{
    ngx_ws_mgr_event_t  *event;

    event = ngx_ws_mgr_publish_append_locked(shard, user, &p->entry);

    if (event == NULL) {
        return NGX_WS_MGR_FEED_NO_MEMORY;
    }

    user->touched = p->entry.now;

    if (p->match) {
        ngx_ws_mgr_publish_address_locked(shard, user, event, p, wake);
    }

    if (p->run.id.len) {
        ngx_ws_mgr_publish_run_locked(shard, user,
                              ngx_ws_mgr_run_find(user->runs, &p->run.id), p);
    }

    return NGX_WS_MGR_FEED_OK;
}


ngx_int_t
ngx_ws_mgr_publish_adopt(ngx_str_t *name, uint64_t epoch, uint64_t seq)
{
    ngx_ws_mgr_log_t    *log;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock_name(name, &user);

    if (user) {
        log = &user->log;

        if (!log->shared || log->epoch < epoch
            || (log->epoch == epoch && log->last < seq))
        {
            ngx_ws_mgr_feed_restart_locked(shard, user, epoch, seq, &wake);
        }

        if (user->members == NULL) {
            ngx_ws_mgr_shard_rest_locked(shard, user);
        }
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    return user ? NGX_OK : NGX_ERROR;
}


static void
ngx_ws_mgr_feed_restart_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, uint64_t epoch, uint64_t seq,
    ngx_ws_mgr_wake_t *wake)
{
    uint8_t               reset;
    ngx_queue_t          *q;
    ngx_ws_mgr_log_t     *log;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_member_t  *member;

    log = &user->log;
    reset = (log->epoch == epoch) ? NGX_WS_MGR_RESET_GAP
                                  : NGX_WS_MGR_RESET_EPOCH;

    while (ngx_ws_mgr_log_oldest(log)) {
        ngx_ws_mgr_shard_evict_locked(shard, user,
                                      NGX_WS_MGR_DISCARD_EVICTED_EPOCH);
    }

    ngx_ws_mgr_log_restart(log, ngx_ws_mgr_shard_log_id_locked(shard), epoch,
                           seq);
    ngx_ws_mgr_failpoint_midst();

    for (member = user->members; member; member = member->next) {
        if (member->sockets) {

            /* of two that are due the graver one is told */

            if (member->reset != NGX_WS_MGR_RESET_EPOCH) {
                member->reset = reset;
            }

            ngx_ws_mgr_member_mark_locked(shard, member, wake);
        }
    }

    if (reset == NGX_WS_MGR_RESET_GAP) {
        return;
    }

    for (q = ngx_queue_head(&user->conns);
         q != ngx_queue_sentinel(&user->conns);
         q = ngx_queue_next(q))
    {
        conn = ngx_queue_data(q, ngx_ws_mgr_conn_t, queue);

        conn->sent = seq;
        conn->confirmed = 0;
    }
}
