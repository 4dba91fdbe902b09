
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>


/* connections asked one by one whether an event is for them */
#define NGX_WS_MGR_PUBLISH_ASK    1024
/* events evicted by one append, so that the lock is not held for long */
#define NGX_WS_MGR_PUBLISH_EVICT  64
/* how far a log may outgrow its limits while a worker has yet to look */
#define NGX_WS_MGR_PUBLISH_SLACK  4


static void ngx_ws_mgr_publish_trim_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, size_t size, uint64_t now);


void
ngx_ws_mgr_publish_group(ngx_ws_mgr_publish_t **p, ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_wake_t    wake;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(&wake, sizeof(wake));

    shard = ngx_ws_mgr_member_lock_name(&p[0]->user, &user);

    for (i = 0; i < n; i++) {
        p[i]->result = user ? ngx_ws_mgr_publish_locked(shard, user, p[i],
                                                        &wake)
                            : NGX_WS_MGR_PUBLISH_NO_MEMORY;
    }

    if (user && user->members == NULL) {
        ngx_ws_mgr_shard_rest_locked(shard, user);
    }

    ngx_ws_mgr_shard_unlock(shard);
    ngx_ws_mgr_member_wake(&wake);
}


ngx_ws_mgr_publish_result_e
ngx_ws_mgr_publish(ngx_ws_mgr_publish_t *p)
{
    ngx_ws_mgr_publish_group(&p, 1);

    return p->result;
}


ngx_ws_mgr_publish_result_e
ngx_ws_mgr_publish_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake)
{
    ngx_ws_mgr_run_t    *run;
    ngx_ws_mgr_event_t  *event;

    p->sockets = 0;
    p->nodes = 0;
    p->disorder = NULL;
    p->duplicate = 0;
    p->unknown_sockets = 0;
    p->unknown_nodes = 0;
    p->elsewhere = 0;

    p->position.epoch = user->log.epoch;
    p->position.broadcast = user->log.broadcast;

    if (p->entry.event_id.len) {
        event = ngx_ws_mgr_log_find(&user->log, &shard->ids,
                                    &p->entry.event_id);
        if (event) {
            p->position.seq = event->seq;
            p->sockets = event->sockets;
            p->nodes = (p->sockets != 0);
            p->unknown_sockets = event->unknown_sockets;
            p->unknown_nodes = event->unknown_sockets;
            p->duplicate = 1;

            return ngx_ws_mgr_log_same(event, &p->entry)
                   ? NGX_WS_MGR_PUBLISH_OK : NGX_WS_MGR_PUBLISH_CONFLICT;
        }
    }

    run = NULL;

    if (p->run.id.len) {
        run = ngx_ws_mgr_run_find(user->runs, &p->run.id);

        if (p->run_order != NGX_WS_MGR_CHECK_OFF) {
            p->disorder = ngx_ws_mgr_run_check(run, &p->run);

            if (p->disorder && p->run_order == NGX_WS_MGR_CHECK_ENFORCE) {
                return NGX_WS_MGR_PUBLISH_RUN_ORDER;
            }
        }
    }

    event = ngx_ws_mgr_publish_append_locked(shard, user, &p->entry);
    if (event == NULL) {
        return NGX_WS_MGR_PUBLISH_NO_MEMORY;
    }

    p->position.seq = event->seq;
    user->touched = p->entry.now;

    ngx_ws_mgr_publish_address_locked(shard, user, event, p, wake);

    p->nodes = (p->sockets != 0);
    p->unknown_nodes = p->unknown_sockets;

    if (p->run.id.len) {
        ngx_ws_mgr_publish_run_locked(shard, user, run, p);
    }

    return NGX_WS_MGR_PUBLISH_OK;
}


ngx_ws_mgr_event_t *
ngx_ws_mgr_publish_append_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_entry_t *entry)
{
    void                *p;
    size_t               size, need;
    ngx_ws_mgr_event_t  *event;

    size = ngx_ws_mgr_log_measure(&user->log, entry);
    if (size == 0) {
        return NULL;
    }

    if (entry->seq == 0 || entry->seq > user->log.last) {
        ngx_ws_mgr_publish_trim_locked(shard, user, size, entry->now);
    }

    event = ngx_ws_mgr_shard_alloc_locked(shard, size);
    if (event == NULL) {
        return NULL;
    }

    /* after the allocation, which may have evicted events of this log */

    need = ngx_ws_mgr_log_room(&user->log);

    if (need) {
        p = ngx_ws_mgr_shard_calloc_locked(shard, need);

        if (p == NULL) {
            ngx_ws_mgr_shard_free_locked(shard, event);
            return NULL;
        }

        p = ngx_ws_mgr_log_grow(&user->log, p, need);

        if (p) {
            ngx_ws_mgr_shard_free_locked(shard, p);
        }
    }

    ngx_ws_mgr_log_append(&user->log, &shard->ids, event, entry);
    ngx_ws_mgr_failpoint_midst();
    ngx_ws_mgr_shard_rank_locked(shard, user);

    shard->nevents++;
    shard->nbytes += ngx_ws_mgr_event_size(event);

    return event;
}


/*
 * Keeps the log within its limits, one more event of "size" bytes included.
 * What a worker has been told of and has yet to look at stays, within reason,
 * so that a burst does not run away from sockets that can take it.
 */

static void
ngx_ws_mgr_publish_trim_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, size_t size, uint64_t now)
{
    ngx_uint_t                n, events, unseen, cause;
    ngx_ws_mgr_log_t         *log;
    ngx_ws_mgr_member_t      *member;
    ngx_ws_mgr_log_limits_t  *limits;

    log = &user->log;
    limits = &ngx_ws_mgr_registry_conf->limits;
    unseen = 0;

    for (member = user->members; member; member = member->next) {
        unseen |= member->queued;
    }

    ngx_ws_mgr_shard_age_locked(shard, user, now);

    for (n = 0; n < NGX_WS_MGR_PUBLISH_EVICT; n++) {

        events = log->last - log->floor;

        if (events == 0) {
            return;
        }

        if (events >= limits->events) {
            cause = NGX_WS_MGR_DISCARD_EVICTED_COUNT;

        } else if (log->bytes + size > limits->bytes) {
            cause = NGX_WS_MGR_DISCARD_EVICTED_BYTES;

        } else {
            return;
        }

        if (unseen
            && events < NGX_WS_MGR_PUBLISH_SLACK * limits->events
            && log->bytes + size < NGX_WS_MGR_PUBLISH_SLACK * limits->bytes)
        {
            return;
        }

        ngx_ws_mgr_shard_evict_locked(shard, user, cause);
    }
}


void
ngx_ws_mgr_publish_run_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_run_t *run, ngx_ws_mgr_publish_t *p)
{
    ngx_queue_t        *q;
    ngx_ws_mgr_runs_t  *runs;

    if (user->runs == NULL) {
        runs = ngx_ws_mgr_shard_calloc_locked(shard, sizeof(ngx_ws_mgr_runs_t));
        if (runs == NULL) {
            ngx_ws_mgr_discard(RUNS_FORGOTTEN);
            return;
        }

        ngx_queue_init(&runs->queue);
        user->runs = runs;
    }

    runs = user->runs;

    if (run == NULL) {

        if (runs->n == NGX_WS_MGR_RUNS) {
            q = ngx_queue_last(&runs->queue);
            ngx_queue_remove(q);
            runs->n--;
            ngx_ws_mgr_shard_free_run_locked(shard,
                                 ngx_queue_data(q, ngx_ws_mgr_run_t, queue));
            ngx_ws_mgr_discard(RUNS_FORGOTTEN);
        }

        run = ngx_ws_mgr_shard_calloc_locked(shard,
                                             ngx_ws_mgr_run_size(&p->run));
        if (run == NULL) {
            ngx_ws_mgr_discard(RUNS_FORGOTTEN);
            return;
        }

        ngx_ws_mgr_run_init(runs, run, &p->run);
        run->user = user;
    }

    ngx_ws_mgr_run_note(run, &p->run, p->entry.now);
    ngx_ws_mgr_shard_watch_locked(shard, run);
}


/* counts the sockets that the event is for, and marks their members */

void
ngx_ws_mgr_publish_address_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_event_t *event,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_ws_mgr_who_t      who;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_member_t  *member;

    for (member = user->members; member; member = member->next) {
        if (member->sockets) {
            ngx_ws_mgr_member_mark_locked(shard, member, wake);
        }
    }

    n = 0;

    if (event->to == NGX_WS_MGR_TO_USER) {
        n = user->sockets;

    } else if (event->to == NGX_WS_MGR_TO_OTHERS
               || user->nconns > NGX_WS_MGR_PUBLISH_ASK)
    {
        event->unknown_sockets = 1;

    } else {

        for (q = ngx_queue_head(&user->conns);
             q != ngx_queue_sentinel(&user->conns);
             q = ngx_queue_next(q))
        {
            conn = ngx_queue_data(q, ngx_ws_mgr_conn_t, queue);

            who.number = conn->node.key;
            who.thread = conn->thread;
            who.user = user->name;
            who.user_len = user->len;

            n += conn->open && p->match(event, &who);
        }
    }

    event->sockets = (uint32_t) n;

    p->sockets = n;
    p->unknown_sockets = event->unknown_sockets;
}
