
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_posting_publish.h>
#include <ngx_ws_mgr_api_events_stream.h>
#include <ngx_ws_mgr_output.h>


#define NGX_WS_MGR_STREAM_ROUND  64        /* lines published in one go */
#define NGX_WS_MGR_STREAM_READ   65536     /* bytes held beyond one event */
#define NGX_WS_MGR_STREAM_READS  16        /* in one go, without a line */


/*
 * A round takes lines that are whole and publishes them; in the next turn of
 * the event loop, when sockets of this worker have been sent them, it answers.
 * The next round begins when the answer is with the kernel, and only then is
 * more read: who does not read the answers is not read either, and who never
 * pauses gets no more than a round of a turn.  Only what is not published
 * yet is held: client_max_body_size bounds a body that is held, and so does not
 * bound a stream; ws_mgr_event_size bounds its lines.
 */

typedef struct {
    ngx_http_request_t       *request;
    ngx_ws_mgr_api_event_t    event;
    ngx_ws_mgr_engine_op_t    op;
    ngx_pool_t               *pool;        /* of a round */
    ngx_ws_mgr_posting_t     *postings;    /* of a round */
    ngx_uint_t                n;           /* of them */
    u_char                   *in;          /* malloc'ed: not published yet */
    size_t                    len;
    size_t                    size;
    size_t                    pos;         /* where the next line begins */
    ngx_event_t               next;        /* goes on in the next turn */
    ngx_uint_t                line;        /* number of the last one */
    unsigned                  header:1;    /* was sent */
    unsigned                  skipping:1;  /* a line that is too long */
    unsigned                  broken:1;    /* the body: nothing follows */
} ngx_ws_mgr_stream_t;


static void ngx_ws_mgr_stream_cleanup(void *data);
static void ngx_ws_mgr_stream_read(ngx_http_request_t *r);
static void ngx_ws_mgr_stream_go(ngx_ws_mgr_stream_t *s);
static void ngx_ws_mgr_stream_next(ngx_event_t *ev);
static ngx_int_t ngx_ws_mgr_stream_more(ngx_ws_mgr_stream_t *s);
static ngx_int_t ngx_ws_mgr_stream_take(ngx_ws_mgr_stream_t *s);
static ngx_int_t ngx_ws_mgr_stream_keep(ngx_ws_mgr_stream_t *s, u_char *p,
    size_t len);
static void ngx_ws_mgr_stream_round(ngx_ws_mgr_stream_t *s);
static ngx_int_t ngx_ws_mgr_stream_line(ngx_ws_mgr_stream_t *s,
    ngx_ws_mgr_span_t *line);
static void ngx_ws_mgr_stream_publish(ngx_ws_mgr_stream_t *s);
static void ngx_ws_mgr_stream_published(ngx_ws_mgr_engine_op_t *op);
static ngx_int_t ngx_ws_mgr_stream_answer(ngx_ws_mgr_stream_t *s);
static ngx_int_t ngx_ws_mgr_stream_send(ngx_ws_mgr_stream_t *s,
    ngx_ws_mgr_text_t *t);
static ngx_int_t ngx_ws_mgr_stream_header(ngx_ws_mgr_stream_t *s);
static void ngx_ws_mgr_stream_writable(ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_stream_sent(ngx_ws_mgr_stream_t *s);
static void ngx_ws_mgr_stream_end(ngx_ws_mgr_stream_t *s);


ngx_int_t
ngx_ws_mgr_api_stream(ngx_http_request_t *r, ngx_ws_mgr_api_event_t *event)
{
    ngx_int_t             rc;
    ngx_ws_mgr_ctx_t     *ctx;
    ngx_pool_cleanup_t   *cln;
    ngx_ws_mgr_stream_t  *s;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_ws_mgr_stream_t));

    if (ctx == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s = cln->data;
    ngx_memzero(s, sizeof(ngx_ws_mgr_stream_t));
    cln->handler = ngx_ws_mgr_stream_cleanup;

    ctx->body = s;
    ngx_http_set_ctx(r, ctx, ngx_http_ws_mgr_module);

    s->request = r;
    s->pool = ngx_create_pool(4096, r->connection->log);
    s->postings = ngx_palloc(r->pool, NGX_WS_MGR_STREAM_ROUND
                                      * sizeof(ngx_ws_mgr_posting_t));

    if (s->pool == NULL || s->postings == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->event = *event;
    s->event.pool = s->pool;

    s->op.pool = s->pool;
    s->op.data = s;
    s->op.done = ngx_ws_mgr_stream_published;

    s->next.handler = ngx_ws_mgr_stream_next;
    s->next.data = s;
    s->next.log = r->connection->log;

    r->request_body_in_file_only = 0;
    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_ws_mgr_stream_read);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
ngx_ws_mgr_stream_cleanup(void *data)
{
    ngx_ws_mgr_stream_t *s = data;

    ngx_ws_mgr_engine_cancel(&s->op);

    if (s->next.posted) {
        ngx_delete_posted_event(&s->next);
    }

    if (s->in) {
        ngx_free(s->in);
    }

    if (s->pool) {
        ngx_destroy_pool(s->pool);
    }
}


static void
ngx_ws_mgr_stream_read(ngx_http_request_t *r)
{
    ngx_ws_mgr_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ws_mgr_module);

    ngx_ws_mgr_stream_go(ctx->body);
}


/* a round; nothing of the stream may be touched after it */

static void
ngx_ws_mgr_stream_go(ngx_ws_mgr_stream_t *s)
{
    ngx_int_t            rc;
    ngx_uint_t           reads;
    ngx_http_request_t  *r;

    r = s->request;
    reads = 0;

    for ( ;; ) {
        ngx_ws_mgr_stream_round(s);

        if (s->n || reads++ == NGX_WS_MGR_STREAM_READS) {
            break;
        }

        rc = ngx_ws_mgr_stream_more(s);

        if (rc == NGX_AGAIN) {
            r->read_event_handler = ngx_ws_mgr_stream_read;
            return;
        }

        if (rc == NGX_DONE) {
            ngx_ws_mgr_stream_end(s);
            return;
        }

        if (rc != NGX_OK) {
            ngx_http_finalize_request(r, rc);
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    if (s->n) {
        ngx_ws_mgr_stream_publish(s);
    }

    if (!s->op.pending) {
        ngx_post_event(&s->next, &ngx_posted_next_events);
    }
}


static void
ngx_ws_mgr_stream_next(ngx_event_t *ev)
{
    ngx_int_t             rc;
    ngx_connection_t     *c;
    ngx_ws_mgr_stream_t  *s = ev->data;

    c = s->request->connection;

    rc = s->n ? ngx_ws_mgr_stream_answer(s) : NGX_OK;

    if (rc == NGX_OK) {
        ngx_ws_mgr_stream_go(s);

    } else if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(s->request, NGX_ERROR);
    }

    ngx_http_run_posted_requests(c);
}


/* NGX_OK: there may be another line; NGX_AGAIN: not yet; NGX_DONE: no more */

static ngx_int_t
ngx_ws_mgr_stream_more(ngx_ws_mgr_stream_t *s)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = s->request;

    if (s->broken) {
        return NGX_DONE;
    }

    rc = ngx_ws_mgr_stream_take(s);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (!r->reading_body) {

        /* a last line need not end */

        s->broken = 1;

        return s->len ? ngx_ws_mgr_stream_keep(s, (u_char *) "\n", 1)
                      : NGX_DONE;
    }

    rc = ngx_http_read_unbuffered_request_body(r);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {

        if (!s->header) {
            return rc;
        }

        /* too late for another status: the connection ends, and what was not
           answered is not in any log */

        return NGX_ERROR;
    }

    return (rc == NGX_AGAIN && r->request_body->bufs == NULL) ? NGX_AGAIN
                                                              : NGX_OK;
}


/* NGX_DECLINED: nothing was there */

static ngx_int_t
ngx_ws_mgr_stream_take(ngx_ws_mgr_stream_t *s)
{
    size_t                    len;
    ngx_int_t                 rc;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = s->request->request_body;
    rc = NGX_DECLINED;

    while (rb && rb->bufs) {
        cl = rb->bufs;
        len = cl->buf->last - cl->buf->pos;

        if (len) {
            rc = ngx_ws_mgr_stream_keep(s, cl->buf->pos, len);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        /* nginx takes the buffer again, so that a stream may be of any
           length */

        cl->buf->pos = cl->buf->last;
        rb->bufs = cl->next;
        ngx_free_chain(s->request->pool, cl);
    }

    return rc;
}


static ngx_int_t
ngx_ws_mgr_stream_keep(ngx_ws_mgr_stream_t *s, u_char *p, size_t len)
{
    u_char  *in;
    size_t   size;

    if (s->len + len > s->size) {
        size = ngx_max(2 * s->size, ngx_max(s->len + len, 4096));

        in = ngx_alloc(size, s->request->connection->log);
        if (in == NULL) {
            return NGX_ERROR;
        }

        if (s->in) {
            ngx_memcpy(in, s->in, s->len);
            ngx_free(s->in);
        }

        s->in = in;
        s->size = size;
    }

    ngx_memcpy(s->in + s->len, p, len);
    s->len += len;

    return NGX_OK;
}


/* reads and checks the lines that are whole, as many as a round takes */

static void
ngx_ws_mgr_stream_round(ngx_ws_mgr_stream_t *s)
{
    ngx_ws_mgr_span_t      line;
    ngx_ws_mgr_posting_t  *posting;

    s->n = 0;

    while (s->n < NGX_WS_MGR_STREAM_ROUND
           && ngx_ws_mgr_stream_line(s, &line) == NGX_OK)
    {
        posting = &s->postings[s->n++];

        posting->event = &s->event;
        posting->posted = line;
        s->event.body = line.start;

        if (ngx_ws_mgr_api_posting_read(posting) != NGX_OK) {
            posting->refusal.problem.line = s->line;
        }
    }

    /* the lines stay where they are until the round is over */

    if (s->n == 0 && s->pos) {
        s->len -= s->pos;
        ngx_memmove(s->in, s->in + s->pos, s->len);
        s->pos = 0;
    }
}


/* one that is too long is cut where it is, so that it is refused, and its rest
   is passed over */

static ngx_int_t
ngx_ws_mgr_stream_line(ngx_ws_mgr_stream_t *s, ngx_ws_mgr_span_t *line)
{
    size_t   left;
    u_char  *p, *end, *last;

    for ( ;; ) {
        p = s->in + s->pos;
        last = s->in + s->len;
        left = s->len - s->pos;

        end = left ? memchr(p, '\n', left) : NULL;

        if (end == NULL) {

            if (s->skipping) {
                s->pos = s->len;
                return NGX_DECLINED;
            }

            if (left <= s->event.conf->event_size + NGX_WS_MGR_STREAM_READ) {
                return NGX_DECLINED;
            }

            s->skipping = 1;
            s->line++;
            s->pos = s->len;

            line->start = p;
            line->end = last;

            return NGX_OK;
        }

        s->pos = end + 1 - s->in;

        if (s->skipping) {
            s->skipping = 0;
            continue;
        }

        s->line++;

        line->start = p;
        line->end = end;

        for ( /* void */ ; p < end; p++) {
            if (*p != ' ' && *p != '\t' && *p != '\r') {
                return NGX_OK;
            }
        }
    }
}


static void
ngx_ws_mgr_stream_publish(ngx_ws_mgr_stream_t *s)
{
    ngx_uint_t             i;
    ngx_ws_mgr_posting_t  *postings[NGX_WS_MGR_STREAM_ROUND];

    for (i = 0; i < s->n; i++) {
        postings[i] = &s->postings[i];
    }

    for (i = 0; i < s->n; /* void */ ) {
        i += ngx_ws_mgr_api_event_append(&s->op, &postings[i], s->n - i, 0);
    }
}


static void
ngx_ws_mgr_stream_published(ngx_ws_mgr_engine_op_t *op)
{
    ngx_ws_mgr_stream_t *s = op->data;

    ngx_post_event(&s->next, &ngx_posted_next_events);
}


/* NGX_OK: the round is over; NGX_AGAIN: it is when the answer was sent */

static ngx_int_t
ngx_ws_mgr_stream_answer(ngx_ws_mgr_stream_t *s)
{
    ngx_uint_t         i;
    ngx_ws_mgr_text_t  t;

    ngx_ws_mgr_text_init(&t, s->pool, 1024);

    for (i = 0; i < s->n; i++) {
        (void) ngx_ws_mgr_api_event_outcome(&s->postings[i], &t);
        ngx_ws_mgr_text_put(&t, "\n");
    }

    return t.failed ? NGX_ERROR : ngx_ws_mgr_stream_send(s, &t);
}


static ngx_int_t
ngx_ws_mgr_stream_send(ngx_ws_mgr_stream_t *s, ngx_ws_mgr_text_t *t)
{
    ngx_buf_t           *b;
    ngx_chain_t         *out;
    ngx_http_request_t  *r;

    r = s->request;

    if (ngx_ws_mgr_stream_header(s) != NGX_OK) {
        return NGX_ERROR;
    }

    b = ngx_calloc_buf(s->pool);
    out = ngx_alloc_chain_link(s->pool);

    if (b == NULL || out == NULL) {
        return NGX_ERROR;
    }

    b->pos = t->start;
    b->last = t->last;
    b->memory = 1;
    b->flush = 1;

    out->buf = b;
    out->next = NULL;

    if (ngx_ws_mgr_output(r, out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_ws_mgr_stream_sent(s);
}


/* once, before the first result or the end */

static ngx_int_t
ngx_ws_mgr_stream_header(ngx_ws_mgr_stream_t *s)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    if (s->header) {
        return NGX_OK;
    }

    r = s->request;
    s->header = 1;

    r->headers_out.status = NGX_HTTP_OK;
    ngx_str_set(&r->headers_out.content_type, "application/x-ndjson");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    ngx_http_clear_content_length(r);

    rc = ngx_http_send_header(r);

    return (rc == NGX_ERROR || rc > NGX_OK) ? NGX_ERROR : NGX_OK;
}


/* the round's memory is given back when nothing of it is to be sent any more */

static ngx_int_t
ngx_ws_mgr_stream_sent(ngx_ws_mgr_stream_t *s)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = s->request;
    wev = r->connection->write;

    if (r->buffered || r->connection->buffered) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        r->write_event_handler = ngx_ws_mgr_stream_writable;

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        return ngx_handle_write_event(wev, clcf->send_lowat) == NGX_OK
               ? NGX_AGAIN : NGX_ERROR;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_reset_pool(s->pool);

    return NGX_OK;
}


static void
ngx_ws_mgr_stream_writable(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_event_t          *wev;
    ngx_ws_mgr_ctx_t     *ctx;
    ngx_ws_mgr_stream_t  *s;

    wev = r->connection->write;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ws_mgr_module);
    s = ctx->body;

    if (wev->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = ngx_http_output_filter(r, NULL) == NGX_ERROR
         ? NGX_ERROR : ngx_ws_mgr_stream_sent(s);

    if (rc == NGX_OK) {
        ngx_ws_mgr_stream_go(s);

    } else if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_ws_mgr_stream_end(ngx_ws_mgr_stream_t *s)
{
    ngx_http_request_t  *r;

    r = s->request;
    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_ws_mgr_stream_header(s) == NGX_OK
                                 ? ngx_http_send_special(r, NGX_HTTP_LAST)
                                 : NGX_ERROR);
}
