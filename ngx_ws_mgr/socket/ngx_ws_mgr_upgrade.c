
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_sha1.h>
#include <ngx_ws_mgr_header.h>
#include <ngx_ws_mgr_problem.h>
#include <ngx_ws_mgr_upgrade.h>


#define NGX_WS_MGR_UPGRADE_KEY   16        /* bytes of a decoded key */
#define NGX_WS_MGR_UPGRADE_TEXT  24        /* and as base64 */
#define NGX_WS_MGR_UPGRADE_GUID  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


static ngx_int_t ngx_ws_mgr_upgrade_check_key(ngx_str_t *key);
static void ngx_ws_mgr_upgrade_nopush(ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_upgrade_extension(ngx_http_request_t *r,
    ngx_ws_mgr_extension_t *agreed);
static ngx_int_t ngx_ws_mgr_upgrade_accept(ngx_http_request_t *r,
    ngx_str_t *accept);


ngx_ws_mgr_refusal_e
ngx_ws_mgr_upgrade_check(ngx_http_request_t *r, const char **detail)
{
    ngx_uint_t        several;
    ngx_table_elt_t  *h;

    if (r->method != NGX_HTTP_GET) {
        *detail = "the method is not GET";
        return NGX_WS_MGR_REFUSAL_BAD_REQUEST;
    }

    if (r->http_version != NGX_HTTP_VERSION_11) {
        *detail = "WebSocket is served over HTTP/1.1 only";
        return NGX_WS_MGR_REFUSAL_BAD_REQUEST;
    }

    if (!ngx_ws_mgr_header_has(r, "upgrade", "websocket")) {
        *detail = "the header field Upgrade does not name websocket";
        return NGX_WS_MGR_REFUSAL_UPGRADE_REQUIRED;
    }

    if (!ngx_ws_mgr_header_has(r, "connection", "upgrade")) {
        *detail = "the header field Connection does not name upgrade";
        return NGX_WS_MGR_REFUSAL_UPGRADE_REQUIRED;
    }

    h = ngx_ws_mgr_header_only(r, "sec-websocket-version", &several);

    if (h == NULL || several || h->value.len != 2
        || ngx_strncmp(h->value.data, "13", 2) != 0)
    {
        *detail = "Sec-WebSocket-Version is not 13";
        return NGX_WS_MGR_REFUSAL_UPGRADE_REQUIRED;
    }

    h = ngx_ws_mgr_header_only(r, "sec-websocket-key", &several);

    if (h == NULL || several
        || ngx_ws_mgr_upgrade_check_key(&h->value) != NGX_OK)
    {
        *detail = "Sec-WebSocket-Key is not one of 16 bytes in base64";
        return NGX_WS_MGR_REFUSAL_BAD_REQUEST;
    }

    /* what follows the header is frames */

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        *detail = "the request has a body";
        return NGX_WS_MGR_REFUSAL_BAD_REQUEST;
    }

    return NGX_WS_MGR_REFUSAL_NONE;
}


static ngx_int_t
ngx_ws_mgr_upgrade_check_key(ngx_str_t *key)
{
    u_char     data[NGX_WS_MGR_UPGRADE_TEXT];
    ngx_str_t  decoded;

    if (key->len != NGX_WS_MGR_UPGRADE_TEXT
        || key->data[NGX_WS_MGR_UPGRADE_TEXT - 1] != '=')
    {
        return NGX_ERROR;
    }

    decoded.data = data;

    if (ngx_decode_base64(&decoded, key) != NGX_OK
        || decoded.len != NGX_WS_MGR_UPGRADE_KEY)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_upgrade_extensions(ngx_http_request_t *r,
    ngx_ws_mgr_extension_t *agreed)
{
    ngx_table_elt_t      *h;
    ngx_ws_mgr_header_t   walk;

    walk.request = r;
    walk.name = "sec-websocket-extensions";
    walk.part = NULL;

    for ( ;; ) {
        h = ngx_ws_mgr_header_next(&walk);
        if (h == NULL) {
            return NGX_OK;
        }

        if (ngx_ws_mgr_extension_offers(&h->value, agreed) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


ngx_int_t
ngx_ws_mgr_upgrade_send(ngx_http_request_t *r, ngx_str_t *protocol,
    ngx_ws_mgr_extension_t *agreed)
{
    ngx_int_t         rc;
    ngx_str_t         accept, websocket;
    ngx_connection_t  *c;

    c = r->connection;

    if (ngx_ws_mgr_upgrade_accept(r, &accept) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&websocket, "websocket");

    if (ngx_ws_mgr_problem_header(r, "Upgrade", &websocket) != NGX_OK
        || ngx_ws_mgr_problem_header(r, "Sec-WebSocket-Accept", &accept)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (protocol
        && ngx_ws_mgr_problem_header(r, "Sec-WebSocket-Protocol", protocol)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (agreed->window
        && ngx_ws_mgr_upgrade_extension(r, agreed) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* "Connection: upgrade" is the header filter's own */

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");

    /* the rate would go on to delay the session's writes */

    r->keepalive = 0;
    r->limit_rate = 0;
    r->limit_rate_set = 1;

    ngx_ws_mgr_upgrade_nopush(r);

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || c->error) {
        return NGX_ERROR;
    }

    return ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR ? NGX_ERROR
                                                                 : NGX_OK;
}


/*
 * What is sent waits for ngx_ws_mgr_session_start(), so that the welcome comes
 * with the answer, or for 200 ms at most.  A TCP_NODELAY that is set in between
 * would push.
 */

static void
ngx_ws_mgr_upgrade_nopush(ngx_http_request_t *r)
{
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->tcp_nodelay) {
        (void) ngx_tcp_nodelay(c);
    }

    /* NGX_TCP_NOPUSH_DISABLED is only what the directive says of files; that of
       TCP_NODELAY is of a socket that is not TCP's */

    if (c->tcp_nopush == NGX_TCP_NOPUSH_SET
        || c->tcp_nodelay == NGX_TCP_NODELAY_DISABLED)
    {
        return;
    }

    if (ngx_tcp_nopush(c->fd) == -1) {
        (void) ngx_connection_error(c, ngx_socket_errno,
                                    ngx_tcp_nopush_n " failed");
        return;
    }

    c->tcp_nopush = NGX_TCP_NOPUSH_SET;
}


static ngx_int_t
ngx_ws_mgr_upgrade_extension(ngx_http_request_t *r,
    ngx_ws_mgr_extension_t *agreed)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_WS_MGR_EXTENSION_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_ws_mgr_extension_answer(value.data, agreed) - value.data;

    return ngx_ws_mgr_problem_header(r, "Sec-WebSocket-Extensions", &value);
}


static ngx_int_t
ngx_ws_mgr_upgrade_accept(ngx_http_request_t *r, ngx_str_t *accept)
{
    u_char            digest[20];
    ngx_str_t         hashed;
    ngx_sha1_t        sha1;
    ngx_uint_t        several;
    ngx_table_elt_t  *key;

    key = ngx_ws_mgr_header_only(r, "sec-websocket-key", &several);

    accept->data = ngx_pnalloc(r->pool,
                               ngx_base64_encoded_length(sizeof(digest)));
    if (key == NULL || accept->data == NULL) {
        return NGX_ERROR;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->value.data, key->value.len);
    ngx_sha1_update(&sha1, NGX_WS_MGR_UPGRADE_GUID,
                    sizeof(NGX_WS_MGR_UPGRADE_GUID) - 1);
    ngx_sha1_final(digest, &sha1);

    hashed.data = digest;
    hashed.len = sizeof(digest);

    ngx_encode_base64(accept, &hashed);

    return NGX_OK;
}
