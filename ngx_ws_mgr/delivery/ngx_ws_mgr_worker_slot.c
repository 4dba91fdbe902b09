
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_bell.h>
#include <ngx_ws_mgr_node.h>
#include <ngx_ws_mgr_sweep.h>
#include <ngx_ws_mgr_user_wait.h>
#include <ngx_ws_mgr_worker_slot.h>


static ngx_int_t ngx_ws_mgr_worker_slot_take(void);


static ngx_log_t   *ngx_ws_mgr_worker_slot_log;
static void       (*ngx_ws_mgr_worker_slot_heard)(void);
static ngx_uint_t   ngx_ws_mgr_worker_slot_missed;


void
ngx_ws_mgr_worker_slot_init(ngx_cycle_t *cycle, void (*heard)(void))
{
    ngx_ws_mgr_worker_slot_log = cycle->log;
    ngx_ws_mgr_worker_slot_heard = heard;

    (void) ngx_ws_mgr_worker_slot_need();
}


ngx_int_t
ngx_ws_mgr_worker_slot_need(void)
{
    if (ngx_ws_mgr_slot != NGX_WS_MGR_NO_SLOT) {
        return ngx_ws_mgr_node->slots[ngx_ws_mgr_slot].state
               == NGX_WS_MGR_SLOT_LIVE ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_ws_mgr_worker_slot_take() == NGX_OK) {

        if (ngx_ws_mgr_worker_slot_missed) {
            ngx_ws_mgr_worker_slot_missed = 0;
            ngx_log_error(NGX_LOG_NOTICE, ngx_ws_mgr_worker_slot_log, 0,
                          "ws_mgr has a slot for this worker now");
        }

        return NGX_OK;
    }

    /* said once, not with each request */

    if (!ngx_ws_mgr_worker_slot_missed) {
        ngx_ws_mgr_worker_slot_missed = 1;
        ngx_log_error(NGX_LOG_WARN, ngx_ws_mgr_worker_slot_log, 0,
                      "ws_mgr has no slot for this worker, which refuses "
                      "sockets until one of %d is free", NGX_WS_MGR_SLOTS);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_ws_mgr_worker_slot_take(void)
{
    if (ngx_ws_mgr_node_take(ngx_ws_mgr_worker_slot_log) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_ws_mgr_bell_listen(ngx_ws_mgr_worker_slot_log,
                               ngx_ws_mgr_worker_slot_heard)
        != NGX_OK)
    {
        ngx_ws_mgr_node_give();
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_ws_mgr_worker_slot_tick(void)
{
    ngx_ws_mgr_slot_t  *slot;

    if (ngx_ws_mgr_slot == NGX_WS_MGR_NO_SLOT) {

        if (!ngx_exiting) {
            (void) ngx_ws_mgr_worker_slot_need();
        }

        return 0;
    }

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    if (!ngx_exiting || slot->connections || !ngx_ws_mgr_wait_none()) {
        return 0;
    }

    if (ngx_ws_mgr_sweep_leave()) {
        return 1;
    }

    ngx_ws_mgr_bell_close();

    return 0;
}
