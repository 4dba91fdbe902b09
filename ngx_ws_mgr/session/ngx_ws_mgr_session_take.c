
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A connection is taken over from its HTTP request after the 101: the request
 * and its pool are freed, the session and the connection stay.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


static ngx_int_t ngx_ws_mgr_session_take_early(ngx_http_request_t *r,
    ngx_ws_mgr_session_in_t **in);
static void *ngx_ws_mgr_session_take_room(ngx_connection_t *c, size_t size);
static ngx_log_t *ngx_ws_mgr_session_take_log(ngx_connection_t *c,
    ngx_ws_mgr_session_conf_t *conf);
static void ngx_ws_mgr_session_take_plain(ngx_connection_t *c);
static void ngx_ws_mgr_session_take_tls(ngx_connection_t *c,
    ngx_http_connection_t *hc);
static void ngx_ws_mgr_session_take_chain(ngx_connection_t *c,
    ngx_chain_t *cl);
static void ngx_ws_mgr_session_take_events(ngx_connection_t *c);
static u_char *ngx_ws_mgr_session_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


void *
ngx_ws_mgr_session_take(ngx_http_request_t *r, size_t size,
    const ngx_ws_mgr_session_handlers_t *handlers,
    ngx_ws_mgr_session_conf_t *conf)
{
    socklen_t                 socklen;
    ngx_log_t                *log;
    struct sockaddr          *sockaddr;
    ngx_connection_t         *c;
    ngx_ws_mgr_session_t     *s;
    ngx_http_connection_t    *hc;
    ngx_ws_mgr_session_in_t  *in;

    c = r->connection;
    hc = r->http_connection;
    socklen = c->socklen;

    if (ngx_ws_mgr_session_take_early(r, &in) != NGX_OK) {
        return NULL;
    }

    size = ngx_align(size, NGX_ALIGNMENT);

    s = ngx_ws_mgr_session_take_room(c, size + socklen);
    log = s ? ngx_ws_mgr_session_take_log(c, conf) : NULL;

    if (log == NULL) {
        goto failed;
    }

    ngx_memzero(s, size);

    sockaddr = (struct sockaddr *) ((u_char *) s + size);
    ngx_memcpy(sockaddr, c->sockaddr, socklen);

    ngx_http_free_request(r, 0);

    /* the address that realip had found, which it has just taken back */

    c->sockaddr = sockaddr;
    c->socklen = socklen;
    ngx_str_null(&c->addr_text);

    c->data = s;
    c->destroyed = 0;
    c->sent = 0;

    c->log = log;
    c->read->log = log;
    c->write->log = log;

    if (ngx_ws_mgr_session_tls(c)) {
        ngx_ws_mgr_session_take_tls(c, hc);

    } else {
        ngx_ws_mgr_session_take_plain(c);
    }

    s->connection = c;
    s->handlers = handlers;
    s->conf = conf;
    s->in = in;
    s->early = in ? 1 : 0;

    (void) ngx_ws_mgr_session_log(s, "taking over of websocket");

    ngx_ws_mgr_frame_init(&s->frame);

    ngx_ws_mgr_session_take_events(c);

    return s;

failed:

    if (s && !ngx_ws_mgr_session_tls(c)) {
        ngx_free(s);
    }

    if (in) {
        ngx_free(in);
    }

    return NULL;
}


/* bytes behind the request: frames of a client that did not wait */

static ngx_int_t
ngx_ws_mgr_session_take_early(ngx_http_request_t *r,
    ngx_ws_mgr_session_in_t **in)
{
    size_t      len;
    ngx_buf_t  *b;

    *in = NULL;

    b = r->header_in;
    len = b->last - b->pos;

    if (len == 0) {
        return NGX_OK;
    }

    *in = ngx_ws_mgr_session_in(NULL, len, r->connection->log);
    if (*in == NULL) {
        return NGX_ERROR;
    }

    (*in)->len = len;
    ngx_memcpy((*in)->data, b->pos, len);

    return NGX_OK;
}


/* with TLS of the connection's pool, which lives on for what TLS has in it */

static void *
ngx_ws_mgr_session_take_room(ngx_connection_t *c, size_t size)
{
    if (ngx_ws_mgr_session_tls(c)) {
        return ngx_palloc(c->pool, size);
    }

    return ngx_alloc(size, c->log);
}


/* the location's, unless it is written elsewhere, or more of it: then one of
   the connection's own */

static ngx_log_t *
ngx_ws_mgr_session_take_log(ngx_connection_t *c,
    ngx_ws_mgr_session_conf_t *conf)
{
    ngx_log_t  *log, *shared;

    log = c->log;
    shared = &conf->log;

    if (!ngx_ws_mgr_session_tls(c)) {

        if (shared->handler == NULL
            && !(log->log_level & NGX_LOG_DEBUG_CONNECTION))
        {
            *shared = *log;
            shared->handler = ngx_ws_mgr_session_log_error;
        }

        if (shared->handler
            && shared->log_level == log->log_level
            && shared->file == log->file
            && shared->writer == log->writer
            && shared->wdata == log->wdata
            && shared->next == log->next)
        {
            return shared;
        }

        log = ngx_alloc(sizeof(ngx_log_t), c->log);
        if (log == NULL) {
            return NULL;
        }

        *log = *c->log;
    }

    log->handler = ngx_ws_mgr_session_log_error;

    return log;
}


/* nothing may lead into the pool, which goes, nor to its log */

static void
ngx_ws_mgr_session_take_plain(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    c->buffer = NULL;
    c->proxy_protocol = NULL;
    c->local_sockaddr = c->listening->sockaddr;
    c->local_socklen = c->listening->socklen;

#if (NGX_THREADS || NGX_COMPAT)
    c->sendfile_task = NULL;
#endif

    pool = c->pool;
    c->pool = NULL;

    ngx_destroy_pool(pool);
}


/* gives back of the connection's pool what was for HTTP only */

static void
ngx_ws_mgr_session_take_tls(ngx_connection_t *c, ngx_http_connection_t *hc)
{
    if (c->buffer) {
        (void) ngx_pfree(c->pool, c->buffer->start);
        c->buffer = NULL;
    }

    ngx_ws_mgr_session_take_chain(c, hc->free);
    ngx_ws_mgr_session_take_chain(c, hc->busy);

    hc->free = NULL;
    hc->busy = NULL;
    hc->nbusy = 0;

#if (NGX_HTTP_SSL)

    ngx_ssl_free_buffer(c);

    /* a write that has to be repeated may come from elsewhere, and longer */

    (void) SSL_set_mode(c->ssl->connection,
                        SSL_MODE_ENABLE_PARTIAL_WRITE
                        |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#endif
}


static void
ngx_ws_mgr_session_take_chain(ngx_connection_t *c, ngx_chain_t *cl)
{
    for ( /* void */ ; cl; cl = cl->next) {
        (void) ngx_pfree(c->pool, cl->buf->start);
    }
}


static void
ngx_ws_mgr_session_take_events(ngx_connection_t *c)
{
    ngx_event_t  *rev, *wev;

    rev = c->read;
    wev = c->write;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    rev->handler = ngx_ws_mgr_session_read_handler;
    wev->handler = ngx_ws_mgr_session_write_handler;

    rev->timedout = 0;
    wev->timedout = 0;
    rev->delayed = 0;
    wev->delayed = 0;

    c->timedout = 0;
    c->log_error = NGX_ERROR_INFO;

    if (wev->active && (ngx_event_flags & NGX_USE_LEVEL_EVENT)) {
        (void) ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }

    ngx_reusable_connection(c, 0);
}


static u_char *
ngx_ws_mgr_session_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char            *p;
    ngx_str_t          addr;
    ngx_connection_t  *c;
    u_char             text[NGX_SOCKADDR_STRLEN];

    p = buf;
    c = log->data;

    if (log->action) {
        p = ngx_snprintf(p, len, " while %s", log->action);
    }

    ngx_ws_mgr_session_addr(c, text, &addr);

    return ngx_snprintf(p, len - (p - buf), ", client: %V, server: %V",
                        &addr, &c->listening->addr_text);
}


void
ngx_ws_mgr_session_addr(ngx_connection_t *c, u_char *text, ngx_str_t *addr)
{
    addr->data = text;
    addr->len = ngx_sock_ntop(c->sockaddr, c->socklen, text,
                              NGX_SOCKADDR_STRLEN, 0);
}
