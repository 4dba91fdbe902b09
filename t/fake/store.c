
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A ticket store that does what the embedded one cannot be made to do.  The
 * first letter of a ticket says what: "U" is answered late, as by a store that
 * is out of reach; "M" at once, as by one without memory; "N" never.  All
 * others go to the embedded store.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_ticket_shm.h>


#define NGX_WS_MGR_FAKE_LATE  100          /* ms */


static ngx_int_t ngx_ws_mgr_fake_init(ngx_conf_t *cf);
static void ngx_ws_mgr_fake_consume(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_fake_late(ngx_event_t *ev);
static void ngx_ws_mgr_fake_cancel(ngx_ws_mgr_ticket_op_t *op);


static ngx_ws_mgr_ticket_store_t  ngx_ws_mgr_fake;


static ngx_http_module_t  ngx_ws_mgr_fake_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_ws_mgr_fake_init,                  /* postconfiguration */
    NULL, NULL, NULL, NULL, NULL, NULL
};


ngx_module_t  ngx_ws_mgr_fake_module = {
    NGX_MODULE_V1,
    &ngx_ws_mgr_fake_module_ctx,           /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


/* what nginx looks up in a dynamic module */

ngx_module_t  *ngx_modules[] = { &ngx_ws_mgr_fake_module, NULL };
char  *ngx_module_names[] = { "ngx_ws_mgr_fake_module", NULL };
char  *ngx_module_order[] = { NULL };


static ngx_int_t
ngx_ws_mgr_fake_init(ngx_conf_t *cf)
{
    ngx_ws_mgr_main_conf_t  *conf;

    conf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ws_mgr_module);

    ngx_ws_mgr_fake = ngx_ws_mgr_ticket_shm;
    ngx_ws_mgr_fake.name = "fake";
    ngx_ws_mgr_fake.consume = ngx_ws_mgr_fake_consume;
    ngx_ws_mgr_fake.cancel = ngx_ws_mgr_fake_cancel;

    conf->store = &ngx_ws_mgr_fake;

    return NGX_OK;
}


static void
ngx_ws_mgr_fake_consume(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_event_t              *ev;
    static ngx_connection_t   nobody = { .fd = (ngx_socket_t) -1 };

    switch (op->id.data[0]) {

    case 'M':
        op->result = NGX_WS_MGR_TICKET_NO_MEMORY;
        op->done(op);
        return;

    case 'U':
    case 'N':
        break;

    default:
        ngx_ws_mgr_ticket_shm.consume(op);
        return;
    }

    ev = ngx_pcalloc(op->pool, sizeof(ngx_event_t) + sizeof(void *));
    op->store = ev;

    if (ev == NULL) {
        op->result = NGX_WS_MGR_TICKET_NO_MEMORY;
        op->done(op);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, op->log, 0, "fake store: asked");

    ev->handler = ngx_ws_mgr_fake_late;
    ev->data = &nobody;
    ev->log = op->log;
    *(void **) (ev + 1) = op;

    if (op->id.data[0] == 'U') {
        ngx_add_timer(ev, NGX_WS_MGR_FAKE_LATE);
    }
}


static void
ngx_ws_mgr_fake_late(ngx_event_t *ev)
{
    ngx_ws_mgr_ticket_op_t  *op;

    op = *(void **) (ev + 1);
    op->store = NULL;
    op->result = NGX_WS_MGR_TICKET_UNAVAILABLE;
    op->done(op);
}


static void
ngx_ws_mgr_fake_cancel(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_event_t  *ev;

    ev = op->store;

    ngx_log_error(NGX_LOG_NOTICE, op->log, 0, "fake store: cancelled");

    if (ev && ev->timer_set) {
        ngx_del_timer(ev);
    }
}
