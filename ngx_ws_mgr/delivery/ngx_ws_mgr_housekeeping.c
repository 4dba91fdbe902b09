
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_sha1.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_sweep.h>
#include <ngx_ws_mgr_housekeeping.h>
#include <ngx_ws_mgr_worker_slot.h>


#define NGX_WS_MGR_TIDY_PAUSE  100         /* ms */
#define NGX_WS_MGR_TIDY_RUNS   64          /* of a shard, that are ended in one
                                              go */


static void ngx_ws_mgr_tidy_handler(ngx_event_t *ev);
static ngx_uint_t ngx_ws_mgr_tidy_runs(ngx_msec_t timeout);
static ngx_uint_t ngx_ws_mgr_tidy_run(ngx_uint_t shard, ngx_msec_t timeout);
static u_char *ngx_ws_mgr_tidy_event_id(u_char *p, ngx_str_t *run);
static void ngx_ws_mgr_tidy_told(ngx_ws_mgr_engine_op_t *op);


static ngx_event_t  ngx_ws_mgr_tidy_event;
static void       (*ngx_ws_mgr_tidy_look)(void);

/* what debug lines of timers show as descriptor */
static ngx_connection_t  ngx_ws_mgr_tidy_nobody = { .fd = (ngx_socket_t) -1 };


void
ngx_ws_mgr_tidy_start(ngx_cycle_t *cycle, void (*look)(void))
{
    ngx_ws_mgr_tidy_look = look;

    ngx_ws_mgr_tidy_event.handler = ngx_ws_mgr_tidy_handler;
    ngx_ws_mgr_tidy_event.data = &ngx_ws_mgr_tidy_nobody;
    ngx_ws_mgr_tidy_event.log = cycle->log;
    ngx_ws_mgr_tidy_event.cancelable = 1;

    ngx_add_timer(&ngx_ws_mgr_tidy_event, NGX_WS_MGR_TIDY_PAUSE);
}


static void
ngx_ws_mgr_tidy_handler(ngx_event_t *ev)
{
    ngx_uint_t  more;

    more = ngx_ws_mgr_sweep_step(ev->log);
    more |= ngx_ws_mgr_worker_slot_tick();

    if (ngx_ws_mgr_registry_conf->run_timeout) {
        more |= ngx_ws_mgr_tidy_runs(ngx_ws_mgr_registry_conf->run_timeout);
    }

    ngx_ws_mgr_tidy_look();

    ngx_add_timer(ev, more ? 1 : NGX_WS_MGR_TIDY_PAUSE);
}


/* true if there may be more */

static ngx_uint_t
ngx_ws_mgr_tidy_runs(ngx_msec_t timeout)
{
    ngx_uint_t  i, n, more;

    more = 0;

    for (i = 0; i < ngx_ws_mgr_registry_conf->nshards; i++) {

        n = 0;

        while (n < NGX_WS_MGR_TIDY_RUNS
               && ngx_ws_mgr_tidy_run(i, timeout))
        {
            n++;
        }

        more |= (n == NGX_WS_MGR_TIDY_RUNS);
    }

    return more;
}


static ngx_uint_t
ngx_ws_mgr_tidy_run(ngx_uint_t shard, ngx_msec_t timeout)
{
    ngx_pool_t              *pool;
    ngx_ws_mgr_overdue_t     here, *overdue;
    ngx_ws_mgr_publish_t    *p;
    ngx_ws_mgr_engine_op_t  *op;

    if (ngx_ws_mgr_engine == NULL) {
        return ngx_ws_mgr_publish_overdue(shard, timeout, &here, 1);
    }

    /* every node with a socket of the user watches: the event_id is what makes
       it one event */

    pool = ngx_create_pool(sizeof(here) + 1024, ngx_cycle->log);
    if (pool == NULL) {
        return 0;
    }

    overdue = ngx_palloc(pool, sizeof(ngx_ws_mgr_overdue_t));
    op = ngx_pcalloc(pool, sizeof(ngx_ws_mgr_engine_op_t));

    if (overdue == NULL || op == NULL
        || !ngx_ws_mgr_publish_overdue(shard, timeout, overdue, 0))
    {
        ngx_destroy_pool(pool);
        return 0;
    }

    op->pool = pool;
    op->data = overdue;
    op->done = ngx_ws_mgr_tidy_told;

    p = &overdue->publish;
    p->entry.event_id.data = overdue->id;
    p->entry.event_id.len = ngx_ws_mgr_tidy_event_id(overdue->id, &p->run.id)
                            - overdue->id;

    ngx_ws_mgr_engine_publish(op, &p, 1);

    if (op->pending == 0) {
        ngx_ws_mgr_tidy_told(op);
    }

    return 1;
}


/* one that nobody posts: a NUL is in no event_id */

static u_char *
ngx_ws_mgr_tidy_event_id(u_char *p, ngx_str_t *run)
{
    u_char      digest[20];
    ngx_sha1_t  sha;

    ngx_sha1_init(&sha);
    ngx_sha1_update(&sha, run->data, run->len);
    ngx_sha1_final(digest, &sha);

    *p++ = '\0';

    return ngx_cpymem(p, digest, sizeof(digest));
}


static void
ngx_ws_mgr_tidy_told(ngx_ws_mgr_engine_op_t *op)
{
    ngx_ws_mgr_overdue_t *overdue = op->data;

    if (overdue->publish.result == NGX_WS_MGR_PUBLISH_OK
        && !overdue->publish.duplicate)
    {
        ngx_ws_mgr_count(RUNS_TIMED_OUT);
    }

    ngx_destroy_pool(op->pool);
}
