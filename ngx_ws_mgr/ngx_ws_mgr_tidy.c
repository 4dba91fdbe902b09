
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_publish.h>
#include <ngx_ws_mgr_sweep.h>
#include <ngx_ws_mgr_tidy.h>


#define NGX_WS_MGR_TIDY_PAUSE  100         /* ms */
#define NGX_WS_MGR_TIDY_RUNS   64          /* of a shard, that are ended in one
                                              go */


static void ngx_ws_mgr_tidy_handler(ngx_event_t *ev);
static ngx_uint_t ngx_ws_mgr_tidy_runs(ngx_msec_t timeout);


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
               && ngx_ws_mgr_publish_overdue(i, timeout))
        {
            n++;
        }

        more |= (n == NGX_WS_MGR_TIDY_RUNS);
    }

    return more;
}
