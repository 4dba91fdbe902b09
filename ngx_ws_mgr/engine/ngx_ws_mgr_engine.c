
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine.h>


const ngx_ws_mgr_engine_t  *ngx_ws_mgr_engine;


void
ngx_ws_mgr_engine_publish(ngx_ws_mgr_engine_op_t *op, ngx_ws_mgr_publish_t **p,
    ngx_uint_t n)
{
    if (ngx_ws_mgr_engine == NULL) {
        ngx_ws_mgr_publish_group(p, n);
        return;
    }

    ngx_ws_mgr_engine->publish(op, p, n);
}


void
ngx_ws_mgr_engine_cancel(ngx_ws_mgr_engine_op_t *op)
{
    if (op->pending) {
        ngx_ws_mgr_engine->cancel(op);
    }
}
