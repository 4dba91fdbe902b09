
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_ask_nodes.h>


static void ngx_ws_mgr_api_look_done(ngx_ws_mgr_engine_op_t *op);
static void ngx_ws_mgr_api_look_cleanup(void *data);


ngx_ws_mgr_api_look_t *
ngx_ws_mgr_api_look_create(ngx_http_request_t *r,
    ngx_ws_mgr_api_look_pt handler, void *data)
{
    ngx_http_cleanup_t     *cln;
    ngx_ws_mgr_api_look_t  *look;

    look = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_api_look_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (look == NULL || cln == NULL) {
        return NULL;
    }

    look->request = r;
    look->handler = handler;
    look->data = data;
    look->op.pool = r->pool;
    look->op.data = look;
    look->op.done = ngx_ws_mgr_api_look_done;

    cln->handler = ngx_ws_mgr_api_look_cleanup;
    cln->data = look;

    return look;
}


ngx_int_t
ngx_ws_mgr_api_look_go(ngx_ws_mgr_api_look_t *look)
{
    ngx_http_request_t  *r;

    r = look->request;

    if (look->op.pending == 0) {
        return look->handler(r, &look->op, look->data);
    }

    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static void
ngx_ws_mgr_api_look_done(ngx_ws_mgr_engine_op_t *op)
{
    ngx_connection_t       *c;
    ngx_ws_mgr_api_look_t  *look = op->data;

    c = look->request->connection;

    ngx_http_finalize_request(look->request,
                              look->handler(look->request, op, look->data));
    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_mgr_api_look_cleanup(void *data)
{
    ngx_ws_mgr_api_look_t *look = data;

    ngx_ws_mgr_engine_cancel(&look->op);
}


ngx_int_t
ngx_ws_mgr_api_look(ngx_http_request_t *r, ngx_str_t *user,
    ngx_ws_mgr_api_look_pt handler, void *data)
{
    ngx_ws_mgr_api_look_t  *look;

    if (ngx_ws_mgr_engine == NULL) {
        return handler(r, NULL, data);
    }

    look = ngx_ws_mgr_api_look_create(r, handler, data);
    if (look == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_mgr_engine->look(&look->op, user);

    return ngx_ws_mgr_api_look_go(look);
}


void
ngx_ws_mgr_api_look_nodes(ngx_ws_mgr_text_t *t, ngx_ws_mgr_engine_op_t *op)
{
    ngx_uint_t                 i;
    ngx_ws_mgr_engine_node_t  *nodes;

    if (op == NULL) {
        return;
    }

    if (op->nodes == NULL) {
        ngx_ws_mgr_text_put(t, ",\"nodes\":null");
        return;
    }

    ngx_ws_mgr_text_put(t, ",\"nodes\":[");

    nodes = op->nodes->elts;

    for (i = 0; i < op->nodes->nelts; i++) {

        if (i) {
            ngx_ws_mgr_text_put(t, ",");
        }

        ngx_ws_mgr_text_put(t, "{\"node\":");
        ngx_ws_mgr_text_string(t, &nodes[i].name);
        ngx_ws_mgr_text_format(t, NGX_INT_T_LEN + 32, ",\"connections\":%ui}",
                               nodes[i].sockets);
    }

    ngx_ws_mgr_text_put(t, "]");
}
