
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_event_schema.h>


static void ngx_ws_mgr_overdue_fill(ngx_ws_mgr_overdue_t *overdue,
    ngx_ws_mgr_run_t *run, ngx_msec_t timeout);
static u_char *ngx_ws_mgr_overdue_event(u_char *p, ngx_ws_mgr_run_t *run,
    ngx_msec_t timeout);
static size_t ngx_ws_mgr_overdue_user(u_char *raw, ngx_ws_mgr_user_t *user);


ngx_uint_t
ngx_ws_mgr_publish_overdue(ngx_uint_t index, ngx_msec_t timeout,
    ngx_ws_mgr_overdue_t *overdue, ngx_uint_t append)
{
    ngx_uint_t           done;
    ngx_queue_t         *q;
    ngx_ws_mgr_run_t    *run;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    done = 0;
    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_shard_at(index);
    ngx_ws_mgr_shard_lock(shard);

    if (ngx_queue_empty(&shard->runs)) {
        goto unlock;
    }

    q = ngx_queue_head(&shard->runs);
    run = ngx_queue_data(q, ngx_ws_mgr_run_t, watched);

    if (run->last + timeout > ngx_ws_mgr_now()) {
        goto unlock;
    }

    user = run->user;
    ngx_ws_mgr_overdue_fill(overdue, run, timeout);

    if (!append) {

        /* if it comes to nothing, it is overdue again after that time */

        run->last = ngx_ws_mgr_now();
        ngx_ws_mgr_shard_watch_locked(shard, run);
        done = 1;
        goto unlock;
    }

    /* it must not go under pressure while it is worked with */
    ngx_ws_mgr_shard_unrest_locked(shard, user);

    if (ngx_ws_mgr_publish_locked(shard, user, &overdue->publish, &wake)
        == NGX_WS_MGR_PUBLISH_OK)
    {
        ngx_ws_mgr_count(RUNS_TIMED_OUT);
        done = 1;
    }

    if (user->members == NULL) {
        ngx_ws_mgr_shard_rest_locked(shard, user);
    }

unlock:

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);

    return done;
}


static void
ngx_ws_mgr_overdue_fill(ngx_ws_mgr_overdue_t *overdue, ngx_ws_mgr_run_t *run,
    ngx_msec_t timeout)
{
    ngx_ws_mgr_user_t     *user;
    ngx_ws_mgr_publish_t  *p;

    p = &overdue->publish;
    user = run->user;

    ngx_memzero(p, sizeof(ngx_ws_mgr_publish_t));

    overdue->piece.data = overdue->text;
    overdue->piece.len = ngx_ws_mgr_overdue_event(overdue->text, run, timeout)
                         - overdue->text;

    p->user.data = overdue->user;
    p->user.len = user->len;
    ngx_memcpy(overdue->user, user->name, user->len);

    p->entry.pieces = &overdue->piece;
    p->entry.npieces = 1;
    p->entry.size = overdue->piece.len;
    p->entry.user_raw.data = overdue->raw;
    p->entry.user_raw.len = ngx_ws_mgr_overdue_user(overdue->raw, user);
    p->entry.now = ngx_ws_mgr_now();

    p->run.id.data = overdue->run;
    p->run.id.len = run->len;
    p->run.known = NGX_WS_MGR_TYPE_AGENT_ERROR;
    ngx_memcpy(overdue->run, run->id, run->len);

    p->entry.run = p->run.id;
}


/* what an agent would have posted, without the opening brace */

static u_char *
ngx_ws_mgr_overdue_event(u_char *p, ngx_ws_mgr_run_t *run, ngx_msec_t timeout)
{
    p = ngx_sprintf(p, "\"type\":\"agent_error\",\"run_id\":\"");
    p = (u_char *) ngx_escape_json(p, run->id, run->len);

    if (run->thread_len) {
        p = ngx_sprintf(p, "\",\"thread_id\":\"");
        p = (u_char *) ngx_escape_json(p, ngx_ws_mgr_run_thread(run),
                                       run->thread_len);
    }

    return ngx_sprintf(p, "\",\"synthetic\":true,\"reason\":\"run_timeout\","
                          "\"error\":\"no event of this run for %M ms\"}",
                       timeout);
}


static size_t
ngx_ws_mgr_overdue_user(u_char *raw, ngx_ws_mgr_user_t *user)
{
    u_char  *p;

    p = raw;
    *p++ = '"';
    p = (u_char *) ngx_escape_json(p, user->name, user->len);
    *p++ = '"';

    return p - raw;
}
