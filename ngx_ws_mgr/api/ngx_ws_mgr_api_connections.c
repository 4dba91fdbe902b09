
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_api_connections.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_api_ask_nodes.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_frame.h>
#include <ngx_ws_mgr_registry.h>


/* of a connection that is to be closed by another node */

typedef struct {
    ngx_str_t   id;
    ngx_uint_t  code;
} ngx_ws_mgr_connections_kick_t;


static ngx_int_t ngx_ws_mgr_api_connections_elsewhere(ngx_http_request_t *r,
    ngx_str_t *id, ngx_uint_t code);
static ngx_int_t ngx_ws_mgr_api_connections_told(ngx_http_request_t *r,
    ngx_ws_mgr_engine_op_t *op, void *data);
static ngx_int_t ngx_ws_mgr_api_connections_find(ngx_str_t *id,
    ngx_ws_mgr_conn_info_t *info);


ngx_int_t
ngx_ws_mgr_api_connections_look(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_ws_mgr_text_t        t;
    ngx_ws_mgr_conn_info_t   info;

    if (ngx_ws_mgr_api_connections_find(id, &info) != NGX_OK) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_CONNECTION,
                                    "this node has no such connection");
    }

    ngx_ws_mgr_text_init(&t, r->pool, 0);
    ngx_ws_mgr_api_connections_text(&t, &info, 1);

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}


ngx_int_t
ngx_ws_mgr_api_connections_disconnect(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_uint_t               code, n;
    ngx_ws_mgr_text_t        t;
    ngx_ws_mgr_conn_info_t   info;

    if (ngx_ws_mgr_api_connections_code(r, &code) != NGX_OK) {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "return",
                                           "return is \"yes\" or \"no\"");
    }

    if (ngx_ws_mgr_api_connections_find(id, &info) != NGX_OK) {
        return ngx_ws_mgr_api_connections_elsewhere(r, id, code);
    }

    n = ngx_ws_mgr_registry_kick_conn(info.number, code);

    ngx_ws_mgr_text_init(&t, r->pool, 0);
    ngx_ws_mgr_text_put(&t, "{\"connection_id\":");
    ngx_ws_mgr_text_string(&t, id);
    ngx_ws_mgr_text_format(&t, 2 * NGX_INT_T_LEN + 64,
                           ",\"disconnected\":%ui,\"close_code\":%ui}", n,
                           code);

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}


/* one that may be of another node, whose name is in front of its id */

static ngx_int_t
ngx_ws_mgr_api_connections_elsewhere(ngx_http_request_t *r, ngx_str_t *id,
    ngx_uint_t code)
{
    ngx_ws_mgr_api_look_t          *look;
    ngx_ws_mgr_connections_kick_t  *kick;

    if (ngx_ws_mgr_engine == NULL || id->len != NGX_WS_MGR_CONN_LEN
        || ngx_memcmp(id->data, ngx_ws_mgr_node->name, NGX_WS_MGR_NODE_LEN)
           == 0)
    {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_CONNECTION,
                                    "this node has no such connection");
    }

    kick = ngx_palloc(r->pool, sizeof(ngx_ws_mgr_connections_kick_t));
    if (kick == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    kick->id = *id;
    kick->code = code;

    look = ngx_ws_mgr_api_look_create(r, ngx_ws_mgr_api_connections_told,
                                      kick);
    if (look == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_mgr_engine->kick_conn(&look->op, id, code);

    return ngx_ws_mgr_api_look_go(look);
}


/* its worker was told; what it finds is not known here */

static ngx_int_t
ngx_ws_mgr_api_connections_told(ngx_http_request_t *r,
    ngx_ws_mgr_engine_op_t *op, void *data)
{
    ngx_ws_mgr_text_t               t;
    ngx_ws_mgr_connections_kick_t  *kick = data;

    if (op->failed) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_UNAVAILABLE,
                                    "redis did not answer: the connection's"
                                    " node may not have been told");
    }

    if (op->nodes->nelts == 0) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_CONNECTION,
                                    "no node has such a connection");
    }

    ngx_ws_mgr_text_init(&t, r->pool, 0);
    ngx_ws_mgr_text_put(&t, "{\"connection_id\":");
    ngx_ws_mgr_text_string(&t, &kick->id);
    ngx_ws_mgr_text_format(&t, NGX_INT_T_LEN + 64,
                           ",\"disconnected\":null,\"close_code\":%ui}",
                           kick->code);

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}


static ngx_int_t
ngx_ws_mgr_api_connections_find(ngx_str_t *id, ngx_ws_mgr_conn_info_t *info)
{
    uint64_t  number;

    if (ngx_ws_mgr_registry_conn_number(id, &number) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_ws_mgr_census_conn_info(number, info);
}


void
ngx_ws_mgr_api_connections_text(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_conn_info_t *info, ngx_uint_t user)
{
    u_char                 *last, id[NGX_WS_MGR_CONN_LEN];
    uint64_t                now;
    const char             *state;
    ngx_ws_mgr_position_t   position;

    now = ngx_ws_mgr_now();
    last = ngx_ws_mgr_registry_conn_id(id, info->number);

    state = info->kick ? "closing" : info->open ? "open" : "opening";

    ngx_ws_mgr_text_format(t, sizeof(id) + 32, "{\"connection_id\":\"%*s\"",
                           (size_t) (last - id), id);

    if (user) {
        ngx_ws_mgr_text_put(t, ",\"user_id\":");
        ngx_ws_mgr_text_string(t, &info->user);
    }

    ngx_ws_mgr_text_format(t, 32, ",\"state\":\"%s\",\"thread_id\":", state);

    if (info->thread.len == 0) {
        ngx_ws_mgr_text_put(t, "null");

    } else {
        ngx_ws_mgr_text_string(t, &info->thread);
    }

    position = info->position;
    position.seq = info->sent;
    ngx_ws_mgr_api_body_position(t, "sent", &position);

    position.seq = info->confirmed;

    if (info->confirmed == 0) {
        position.epoch = 0;
    }

    ngx_ws_mgr_api_body_position(t, "confirmed", &position);

    ngx_ws_mgr_text_format(t, 8 * NGX_INT64_LEN + 128,
                           ",\"lag\":%uL,\"bytes_in\":%uL,\"bytes_out\":%uL,"
                           "\"connected_at\":%uL.%03uL,"
                           "\"age_seconds\":%uL.%03uL,\"worker\":%ui}",
                           info->position.seq > info->sent
                           ? info->position.seq - info->sent : 0,
                           info->bytes_in, info->bytes_out,
                           info->since / 1000, info->since % 1000,
                           now > info->since ? (now - info->since) / 1000 : 0,
                           now > info->since ? (now - info->since) % 1000 : 0,
                           info->slot);
}


ngx_int_t
ngx_ws_mgr_api_connections_code(ngx_http_request_t *r, ngx_uint_t *code)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    *code = NGX_WS_MGR_CLOSE_KICKED;

    rc = ngx_ws_mgr_api_query(r, "return", &value);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ABORT;
    }

    if (value.len == sizeof("yes") - 1
        && ngx_memcmp(value.data, "yes", value.len) == 0)
    {
        return NGX_OK;
    }

    if (value.len == sizeof("no") - 1
        && ngx_memcmp(value.data, "no", value.len) == 0)
    {
        *code = NGX_WS_MGR_CLOSE_BANNED;
        return NGX_OK;
    }

    return NGX_ABORT;
}
