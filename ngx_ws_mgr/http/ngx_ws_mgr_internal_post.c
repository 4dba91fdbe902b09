
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_internal_post.h>


#define NGX_WS_MGR_INNER_POOL  512         /* bytes, of the connection */


/* in the connection's pool, and there until its end */

typedef struct {
    ngx_log_t                 log;
    ngx_http_log_ctx_t        log_ctx;
    ngx_http_connection_t     http;
    ngx_http_conf_ctx_t       conf;
    ngx_http_request_t       *subrequest;  /* NULL: not begun */
    void                    (*done)(void *data,
                                    ngx_ws_mgr_inner_answer_t *answer);
    void                     *data;
} ngx_ws_mgr_inner_call_t;


static ngx_connection_t *ngx_ws_mgr_inner_connect(ngx_ws_mgr_inner_t *post);
static ngx_int_t ngx_ws_mgr_inner_address(ngx_connection_t *c,
    ngx_ws_mgr_inner_t *post);
static ngx_http_request_t *ngx_ws_mgr_inner_request(ngx_connection_t *c,
    ngx_ws_mgr_inner_call_t *call, ngx_ws_mgr_inner_t *post);
static ngx_int_t ngx_ws_mgr_inner_line(ngx_http_request_t *r,
    ngx_ws_mgr_inner_t *post);
static ngx_int_t ngx_ws_mgr_inner_headers(ngx_http_request_t *r,
    ngx_ws_mgr_inner_t *post);
static ngx_table_elt_t *ngx_ws_mgr_inner_header(ngx_http_request_t *r,
    ngx_ws_mgr_inner_header_t *header);
static ngx_int_t ngx_ws_mgr_inner_body(ngx_http_request_t *r, ngx_str_t *body);
static void ngx_ws_mgr_inner_finish(ngx_http_request_t *r);
static void ngx_ws_mgr_inner_cleanup(void *data);
static void ngx_ws_mgr_inner_event(ngx_event_t *ev);
static u_char *ngx_ws_mgr_inner_log(ngx_log_t *log, u_char *buf, size_t len);


static ngx_str_t  ngx_ws_mgr_inner_method = ngx_string("POST");
static ngx_str_t  ngx_ws_mgr_inner_protocol = ngx_string("HTTP/1.1");


ngx_int_t
ngx_ws_mgr_inner_post(ngx_ws_mgr_inner_t *post)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r, *sr;
    ngx_http_cleanup_t       *cln;
    ngx_ws_mgr_inner_call_t  *call;

    c = ngx_ws_mgr_inner_connect(post);
    if (c == NULL) {
        return NGX_ERROR;
    }

    call = (ngx_ws_mgr_inner_call_t *) c->log;

    r = ngx_ws_mgr_inner_request(c, call, post);
    if (r == NULL) {
        ngx_http_close_connection(c);
        return NGX_ERROR;
    }

    cln = ngx_http_cleanup_add(r, 0);

    if (cln == NULL
        || ngx_http_subrequest(r, &post->uri, &post->args, &sr, NULL,
                               NGX_HTTP_SUBREQUEST_IN_MEMORY
                               |NGX_HTTP_SUBREQUEST_WAITED)
           != NGX_OK)
    {
        ngx_http_free_request(r, 0);
        ngx_http_close_connection(c);
        return NGX_ERROR;
    }

    /* from here on the request ends by itself, and the cleanup tells */

    cln->handler = ngx_ws_mgr_inner_cleanup;
    cln->data = call;

    call->subrequest = sr;
    call->done = post->done;
    call->data = post->data;

    sr->method = NGX_HTTP_POST;
    sr->method_name = ngx_ws_mgr_inner_method;

    ngx_http_run_posted_requests(c);

    return NGX_OK;
}


/*
 * The connection has a descriptor of its own, so that nginx closes it, and
 * whatever a module may do to it, as it does with any other: a datagram socket
 * that is bound to nothing, from which nothing ever comes.
 */

static ngx_connection_t *
ngx_ws_mgr_inner_connect(ngx_ws_mgr_inner_t *post)
{
    ngx_pool_t               *pool;
    ngx_socket_t              fd;
    ngx_connection_t         *c;
    ngx_ws_mgr_inner_call_t  *call;

    pool = ngx_create_pool(sizeof(ngx_ws_mgr_inner_call_t)
                           + NGX_WS_MGR_INNER_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_ws_mgr_inner_call_t));
    if (call == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    fd = ngx_socket(AF_UNIX, SOCK_DGRAM, 0);

    if (fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                      ngx_socket_n " failed");
        ngx_destroy_pool(pool);
        return NULL;
    }

    c = ngx_nonblocking(fd) == -1 ? NULL
                                  : ngx_get_connection(fd, ngx_cycle->log);
    if (c == NULL) {
        (void) ngx_close_socket(fd);
        ngx_destroy_pool(pool);
        return NULL;
    }

    call->log = *ngx_cycle->log;
    call->log.connection = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    call->log.handler = ngx_ws_mgr_inner_log;
    call->log.data = &call->log_ctx;
    call->log.action = "posting to a location";
    call->log_ctx.connection = c;

    c->log = &call->log;
    c->read->log = c->log;
    c->write->log = c->log;
    pool->log = c->log;

    c->pool = pool;
    c->number = call->log.connection;
    c->start_time = ngx_current_msec;
    c->log_error = NGX_ERROR_INFO;

    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;

    c->read->handler = ngx_ws_mgr_inner_event;
    c->write->handler = ngx_ws_mgr_inner_event;
    c->write->ready = 1;

#if (NGX_STAT_STUB)
    /* ngx_http_close_connection() takes it away */
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    if (ngx_ws_mgr_inner_address(c, post) != NGX_OK) {
        ngx_http_close_connection(c);
        return NULL;
    }

    return c;
}


static ngx_int_t
ngx_ws_mgr_inner_address(ngx_connection_t *c, ngx_ws_mgr_inner_t *post)
{
    u_char  *text;

    c->sockaddr = ngx_palloc(c->pool, post->socklen);
    text = ngx_pnalloc(c->pool, NGX_SOCKADDR_STRLEN);

    if (c->sockaddr == NULL || text == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(c->sockaddr, post->sockaddr, post->socklen);
    c->socklen = post->socklen;

    c->addr_text.data = text;
    c->addr_text.len = ngx_sock_ntop(c->sockaddr, c->socklen, text,
                                     NGX_SOCKADDR_STRLEN, 0);

    c->listening = post->listening;
    c->local_sockaddr = post->listening->sockaddr;
    c->local_socklen = post->listening->socklen;

    return NGX_OK;
}


static ngx_http_request_t *
ngx_ws_mgr_inner_request(ngx_connection_t *c, ngx_ws_mgr_inner_call_t *call,
    ngx_ws_mgr_inner_t *post)
{
    ngx_http_request_t  *r;

    call->conf = post->conf;
    call->http.conf_ctx = &call->conf;

    c->data = &call->http;

    r = ngx_http_create_request(c);
    if (r == NULL) {
        return NULL;
    }

    c->data = r;

    /* of the subrequest nginx itself knows whether it is to be logged */
    r->logged = 1;

    r->write_event_handler = ngx_ws_mgr_inner_finish;

    if (ngx_ws_mgr_inner_line(r, post) != NGX_OK
        || ngx_ws_mgr_inner_headers(r, post) != NGX_OK
        || ngx_ws_mgr_inner_body(r, &post->body) != NGX_OK)
    {
        ngx_http_free_request(r, 0);
        return NULL;
    }

    return r;
}


static ngx_int_t
ngx_ws_mgr_inner_line(ngx_http_request_t *r, ngx_ws_mgr_inner_t *post)
{
    u_char  *p;
    size_t   len;

    len = ngx_ws_mgr_inner_method.len + 1 + post->uri.len + 1 + post->args.len
          + 1 + ngx_ws_mgr_inner_protocol.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->method = NGX_HTTP_POST;
    r->method_name = ngx_ws_mgr_inner_method;
    r->http_version = NGX_HTTP_VERSION_11;
    r->http_protocol = ngx_ws_mgr_inner_protocol;
    r->internal = 1;
    r->valid_location = 1;

    r->uri = post->uri;
    r->args = post->args;

    r->request_line.data = p;

    p = ngx_sprintf(p, "%V ", &ngx_ws_mgr_inner_method);

    r->unparsed_uri.data = p;

    p = ngx_sprintf(p, post->args.len ? "%V?%V" : "%V%V", &post->uri,
                    &post->args);

    r->unparsed_uri.len = p - r->unparsed_uri.data;

    p = ngx_sprintf(p, " %V", &ngx_ws_mgr_inner_protocol);

    r->request_line.len = p - r->request_line.data;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_inner_headers(ngx_http_request_t *r, ngx_ws_mgr_inner_t *post)
{
    u_char                      length[NGX_OFF_T_LEN];
    ngx_uint_t                  i;
    ngx_ws_mgr_inner_header_t   header;
    ngx_http_headers_in_t      *in;

    in = &r->headers_in;

    if (ngx_list_init(&in->headers, r->pool, NGX_WS_MGR_INNER_HEADERS + 2,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&header.name, "Content-Type");
    ngx_str_set(&header.lowcase, "content-type");
    header.value = post->type;

    in->content_type = ngx_ws_mgr_inner_header(r, &header);

    ngx_str_set(&header.name, "Content-Length");
    ngx_str_set(&header.lowcase, "content-length");
    header.value.data = length;
    header.value.len = ngx_sprintf(length, "%uz", post->body.len) - length;

    in->content_length = ngx_ws_mgr_inner_header(r, &header);
    in->content_length_n = post->body.len;

    if (in->content_type == NULL || in->content_length == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < post->nheaders; i++) {
        if (ngx_ws_mgr_inner_header(r, &post->headers[i]) == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_ws_mgr_inner_header(ngx_http_request_t *r,
    ngx_ws_mgr_inner_header_t *header)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = ngx_hash_key(header->lowcase.data, header->lowcase.len);
    h->key = header->name;
    h->lowcase_key = header->lowcase.data;

    h->value.len = header->value.len;
    h->value.data = ngx_pstrdup(r->pool, &header->value);

    return h->value.data || h->value.len == 0 ? h : NULL;
}


static ngx_int_t
ngx_ws_mgr_inner_body(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t                *b;
    ngx_http_request_body_t  *rb;

    rb = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (rb == NULL) {
        return NGX_ERROR;
    }

    r->request_body = rb;

    if (body->len == 0) {
        return NGX_OK;
    }

    b = ngx_create_temp_buf(r->pool, body->len);
    rb->bufs = ngx_alloc_chain_link(r->pool);

    if (b == NULL || rb->bufs == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, body->data, body->len);
    b->last_buf = 1;

    rb->buf = b;
    rb->bufs->buf = b;
    rb->bufs->next = NULL;

    return NGX_OK;
}


/* the subrequest has ended; there is nobody to linger for */

static void
ngx_ws_mgr_inner_finish(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
}


static void
ngx_ws_mgr_inner_cleanup(void *data)
{
    ngx_ws_mgr_inner_call_t *call = data;

    ngx_http_request_t         *sr;
    ngx_ws_mgr_inner_answer_t   answer;

    ngx_memzero(&answer, sizeof(ngx_ws_mgr_inner_answer_t));

    sr = call->subrequest;
    answer.pool = sr->pool;

    if (sr->done) {
        answer.status = sr->headers_out.status;
        answer.type = sr->headers_out.content_type;

        if (sr->out) {
            answer.body.data = sr->out->buf->pos;
            answer.body.len = sr->out->buf->last - sr->out->buf->pos;
        }
    }

    call->done(call->data, &answer);
}


static void
ngx_ws_mgr_inner_event(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_request_t  *r;

    r = c->data;

    if (ev->write) {
        r->write_event_handler(r);

    } else {
        r->read_event_handler(r);
    }

    ngx_http_run_posted_requests(c);
}


static u_char *
ngx_ws_mgr_inner_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char              *p;
    ngx_http_log_ctx_t  *ctx;

    p = buf;
    ctx = log->data;

    if (log->action) {
        p = ngx_snprintf(p, len, " while %s", log->action);
    }

    p = ngx_snprintf(p, len - (p - buf), ", client: %V",
                     &ctx->connection->addr_text);

    if (ctx->request) {
        p = ctx->request->log_handler(ctx->request, ctx->current_request, p,
                                      len - (p - buf));
    }

    return p;
}
