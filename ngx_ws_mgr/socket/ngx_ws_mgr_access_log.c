
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_access_log.h>


/* bytes of $request without the location, the user and the connection */
#define NGX_WS_MGR_ACCESS_LINE                                                \
    (sizeof("WEBSOCKET  user= connection= seconds=.000 in=/ out=/ close= "    \
            "by=server")                                                      \
     + 3 * NGX_INT64_LEN + 3 * NGX_INT_T_LEN)


static ngx_int_t ngx_ws_mgr_access_fill(ngx_http_request_t *r,
    ngx_ws_mgr_session_t *s, ngx_str_t *user, ngx_str_t *connection);
static ngx_int_t ngx_ws_mgr_access_line(ngx_http_request_t *r,
    ngx_ws_mgr_session_t *s, ngx_msec_t lasted, ngx_str_t *user,
    ngx_str_t *connection);
static u_char *ngx_ws_mgr_access_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


static ngx_str_t  ngx_ws_mgr_access_method = ngx_string("WEBSOCKET");
static ngx_str_t  ngx_ws_mgr_access_protocol = ngx_string("HTTP/1.1");

/*
 * The connection has neither a request nor what HTTP keeps for a connection
 * any more.  Both are made for the time of the call, upon a copy of the
 * connection, as HTTP/2 does for its streams, so that it stays as it is.
 */

void
ngx_ws_mgr_access_log(ngx_ws_mgr_session_t *s, ngx_ws_mgr_loc_conf_t *conf,
    ngx_str_t *user, ngx_str_t *connection)
{
    ngx_log_t               log;
    ngx_connection_t        c;
    ngx_http_request_t     *r;
    ngx_http_log_ctx_t      ctx;
    ngx_http_conf_ctx_t     conf_ctx;
    ngx_http_connection_t   hc;
    u_char                  addr[NGX_SOCKADDR_STRLEN];

    c = *s->connection;
    ngx_ws_mgr_session_addr(&c, addr, &c.addr_text);
    log = *c.log;

    ctx.connection = &c;
    ctx.request = NULL;
    ctx.current_request = NULL;

    log.handler = ngx_ws_mgr_access_log_error;
    log.data = &ctx;
    log.action = "logging the end of a session";

    conf_ctx.main_conf = conf->main_ctx;
    conf_ctx.srv_conf = conf->srv_ctx;
    conf_ctx.loc_conf = conf->loc_ctx;

    ngx_memzero(&hc, sizeof(ngx_http_connection_t));
    hc.conf_ctx = &conf_ctx;

    c.data = &hc;
    c.log = &log;
    c.sent = s->bytes_out;
    c.timedout = 0;

    r = ngx_http_create_request(&c);

    if (r == NULL) {
        ngx_log_error(NGX_LOG_ERR, &log, 0, "ws_mgr session was not logged");
        return;
    }

#if (NGX_STAT_STUB)
    /* the others are balanced when the request is freed */
    (void) ngx_atomic_fetch_add(ngx_stat_requests, -1);
#endif

    c.requests--;
    c.data = r;

    /* what variables keep for the connection, too, is for this call */
    c.pool = r->pool;

    if (ngx_ws_mgr_access_fill(r, s, user, connection) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, &log, 0, "ws_mgr session was not logged");
        r->logged = 1;
    }

    ngx_http_free_request(r, 0);
}


static ngx_int_t
ngx_ws_mgr_access_fill(ngx_http_request_t *r, ngx_ws_mgr_session_t *s,
    ngx_str_t *user, ngx_str_t *connection)
{
    uint64_t                   now;
    ngx_msec_t                 lasted;
    ngx_time_t                *tp;
    ngx_ws_mgr_ctx_t          *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->user = *user;
    ctx->connection = *connection;

    ngx_http_set_ctx(r, ctx, ngx_http_ws_mgr_module);

    lasted = ngx_current_msec - s->started;

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec - lasted;

    r->start_sec = (time_t) (now / 1000);
    r->start_msec = (ngx_msec_t) (now % 1000);

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    r->uri = clcf->name;
    r->unparsed_uri = clcf->name;
    r->valid_location = 1;

    r->method_name = ngx_ws_mgr_access_method;
    r->http_protocol = ngx_ws_mgr_access_protocol;
    r->http_version = NGX_HTTP_VERSION_11;
    r->request_length = s->bytes_in;
    r->request_complete = 1;

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    r->header_sent = 1;

    return ngx_ws_mgr_access_line(r, s, lasted, user, connection);
}


static ngx_int_t
ngx_ws_mgr_access_line(ngx_http_request_t *r, ngx_ws_mgr_session_t *s,
    ngx_msec_t lasted, ngx_str_t *user, ngx_str_t *connection)
{
    u_char  *p;
    size_t   len;

    len = NGX_WS_MGR_ACCESS_LINE + r->uri.len + connection->len + user->len
          + 2 * ngx_escape_uri(NULL, user->data, user->len,
                               NGX_ESCAPE_URI_COMPONENT);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->request_line.data = p;

    p = ngx_sprintf(p, "%V %V user=", &r->method_name, &r->uri);

    p = (u_char *) ngx_escape_uri(p, user->data, user->len,
                                  NGX_ESCAPE_URI_COMPONENT);

    p = ngx_sprintf(p, " connection=%V seconds=%M.%03M in=%uD/%uL out=%uD/%uL "
                       "close=%ui by=%s",
                    connection, lasted / 1000, lasted % 1000,
                    s->frames_in, s->bytes_in, s->frames_out, s->bytes_out,
                    ngx_ws_mgr_session_code(s),
                    ngx_ws_mgr_session_sides[s->side]);

    r->request_line.len = p - r->request_line.data;

    return NGX_OK;
}


static u_char *
ngx_ws_mgr_access_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_log_ctx_t  *ctx;

    ctx = log->data;

    return ngx_snprintf(buf, len, " while %s, client: %V", log->action,
                        &ctx->connection->addr_text);
}
