
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_problem.h>


#define NGX_WS_MGR_BODY_FIRST  65536       /* bytes, before any was seen */


typedef struct {
    ngx_str_t             body;
    u_char               *own;             /* malloc'ed, or NULL */
    size_t                size;            /* of own */
    off_t                 max;
    off_t                 expected;        /* -1: not known */
    ngx_ws_mgr_body_pt    handler;
    void                 *data;
    unsigned              events:1;
} ngx_ws_mgr_body_t;


static ngx_uint_t ngx_ws_mgr_body_parameters(u_char *p, u_char *last);
static ngx_ws_mgr_body_t *ngx_ws_mgr_body_create(ngx_http_request_t *r);
static void ngx_ws_mgr_body_cleanup(void *data);
static void ngx_ws_mgr_body_more(ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_body_take(ngx_http_request_t *r,
    ngx_ws_mgr_body_t *b);
static ngx_int_t ngx_ws_mgr_body_append(ngx_ws_mgr_body_t *b, u_char *p,
    size_t len, ngx_log_t *log);
static ngx_int_t ngx_ws_mgr_body_fault(ngx_http_request_t *r, ngx_int_t rc);


ngx_int_t
ngx_ws_mgr_api_body_type(ngx_http_request_t *r, ngx_ws_mgr_body_type_e *type,
    const char **error)
{
    u_char           *p, *last;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  types[] = {
        ngx_string("application/json"),
        ngx_string("application/x-ndjson"),
        ngx_null_string
    };

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof("Content-Encoding") - 1
                && ngx_strncmp(h[i].lowcase_key, "content-encoding",
                               h[i].key.len)
                   == 0
                && ngx_strcasecmp(h[i].value.data, (u_char *) "identity") != 0)
            {
                *error = "a body with a content encoding is not read";
                return NGX_DECLINED;
            }
        }
    }

    *error = "the content type is to be application/json or"
             " application/x-ndjson";

    if (r->headers_in.content_type == NULL) {
        return NGX_DECLINED;
    }

    p = r->headers_in.content_type->value.data;
    last = p + r->headers_in.content_type->value.len;

    for (i = 0; types[i].len; i++) {

        if ((size_t) (last - p) >= types[i].len
            && (ngx_memcmp(p, types[i].data, types[i].len) == 0
                || ngx_strncasecmp(p, types[i].data, types[i].len) == 0)
            && ngx_ws_mgr_body_parameters(p + types[i].len, last))
        {
            *type = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* true for "", and for "; name=value" unless it names another charset */

static ngx_uint_t
ngx_ws_mgr_body_parameters(u_char *p, u_char *last)
{
    u_char     *charset;
    ngx_uint_t  quoted;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == last) {
        return 1;
    }

    if (*p != ';') {
        return 0;
    }

    charset = ngx_strlcasestrn(p, last, (u_char *) "charset=",
                               sizeof("charset=") - 1 - 1);
    if (charset == NULL) {
        return 1;
    }

    p = charset + sizeof("charset=") - 1;
    quoted = (p < last && *p == '"');
    p += quoted;

    if (last - p < (ssize_t) (sizeof("utf-8") - 1 + quoted)
        || ngx_strncasecmp(p, (u_char *) "utf-8", sizeof("utf-8") - 1) != 0)
    {
        return 0;
    }

    p += sizeof("utf-8") - 1 + quoted;

    return p == last || *p == ';' || *p == ' ' || *p == '\t';
}


ngx_int_t
ngx_ws_mgr_api_body_read(ngx_http_request_t *r, off_t max,
    ngx_uint_t events, ngx_ws_mgr_body_pt handler, void *data)
{
    ngx_int_t           rc;
    ngx_ws_mgr_body_t  *b;

    b = ngx_ws_mgr_body_create(r);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&b->body, "");

    b->max = max;
    b->expected = r->headers_in.content_length_n;
    b->handler = handler;
    b->events = events;
    b->data = data;

    if (max != 0 && b->expected > max) {
        return ngx_ws_mgr_body_fault(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }

    r->request_body_in_file_only = 0;
    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_ws_mgr_body_more);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return ngx_ws_mgr_body_fault(r, rc);
    }

    return NGX_DONE;
}


static ngx_ws_mgr_body_t *
ngx_ws_mgr_body_create(ngx_http_request_t *r)
{
    ngx_ws_mgr_ctx_t    *ctx;
    ngx_ws_mgr_body_t   *b;
    ngx_pool_cleanup_t  *cln;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ws_mgr_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_ctx_t));
        if (ctx == NULL) {
            return NULL;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_ws_mgr_module);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_ws_mgr_body_t));
    if (cln == NULL) {
        return NULL;
    }

    b = cln->data;
    ngx_memzero(b, sizeof(ngx_ws_mgr_body_t));

    cln->handler = ngx_ws_mgr_body_cleanup;
    ctx->body = b;

    return b;
}


static void
ngx_ws_mgr_body_cleanup(void *data)
{
    ngx_ws_mgr_body_t  *b = data;

    if (b->own != NULL) {
        ngx_free(b->own);
        b->own = NULL;
    }
}


/*
 * Called by nginx once it has read what was there, and then for each event of
 * reading until the body is whole.  A buffer is given back as soon as it is
 * full, so this goes on until the socket has no more.
 */

static void
ngx_ws_mgr_body_more(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ngx_ws_mgr_ctx_t   *ctx;
    ngx_ws_mgr_body_t  *b;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ws_mgr_module);
    b = ctx->body;

    for ( ;; ) {
        rc = ngx_ws_mgr_body_take(r, b);

        if (rc != NGX_OK) {
            ngx_http_finalize_request(r, ngx_ws_mgr_body_fault(r, rc));
            return;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, ngx_ws_mgr_body_fault(r, rc));
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = ngx_ws_mgr_body_more;
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, b->handler(r, &b->body, b->data));
}


/* what nginx has read; without a copy where that is all, in one piece */

static ngx_int_t
ngx_ws_mgr_body_take(ngx_http_request_t *r, ngx_ws_mgr_body_t *b)
{
    size_t                   len;
    ngx_int_t                rc;
    ngx_buf_t               *buf;
    ngx_chain_t             *cl, *next;
    ngx_http_request_body_t *rb;

    rb = r->request_body;

    if (rb == NULL) {
        return NGX_OK;
    }

    for (cl = rb->bufs; cl; cl = next) {
        next = cl->next;
        buf = cl->buf;
        len = buf->last - buf->pos;

        if (b->max != 0 && (off_t) (b->body.len + len) > b->max) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        if (len != 0 && b->body.len == 0 && !r->reading_body
            && (next == NULL
                || (next->next == NULL && next->buf->pos == next->buf->last)))
        {
            b->body.data = buf->pos;
            b->body.len = len;

        } else if (len != 0) {
            rc = ngx_ws_mgr_body_append(b, buf->pos, len,
                                        r->connection->log);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        buf->pos = buf->last;
        ngx_free_chain(r->pool, cl);
    }

    rb->bufs = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_body_append(ngx_ws_mgr_body_t *b, u_char *p, size_t len,
    ngx_log_t *log)
{
    u_char  *own;
    size_t   want;

    if (b->body.len + len > b->size) {
        want = ngx_max(2 * b->size, b->body.len + len);

        if (b->size == 0 && b->expected > (off_t) want) {
            want = ngx_max(want, (size_t) ngx_min(b->expected,
                                                  NGX_WS_MGR_BODY_FIRST));
        }

        own = ngx_alloc(want, log);
        if (own == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (b->own != NULL) {
            ngx_memcpy(own, b->own, b->body.len);
            ngx_free(b->own);
        }

        b->own = own;
        b->size = want;
        b->body.data = own;
    }

    ngx_memcpy(b->own + b->body.len, p, len);
    b->body.len += len;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_body_fault(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_ws_mgr_ctx_t   *ctx;
    ngx_ws_mgr_body_t  *b;

    if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_ws_mgr_module);
        b = ctx->body;

        if (b->events) {
            ngx_ws_mgr_api_fault_count(NGX_WS_MGR_FAULT_LARGE);
        }

        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_LARGE,
                                    "the body is larger than"
                                    " client_max_body_size allows");
    }

    if (rc == NGX_HTTP_BAD_REQUEST && !r->connection->error) {
        r->keepalive = 0;

        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_REQUEST,
                                    "the body is cut short or malformed");
    }

    return rc;
}


ngx_int_t
ngx_ws_mgr_api_body_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_ws_mgr_text_t *t)
{
    ngx_str_t  body;

    static ngx_str_t  type = ngx_string("application/json");

    if (t->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = t->start;
    body.len = ngx_ws_mgr_text_len(t);

    return ngx_ws_mgr_problem_send_body(r, status, &type, &body);
}


void
ngx_ws_mgr_api_body_position(ngx_ws_mgr_text_t *t, const char *name,
    ngx_ws_mgr_position_t *position)
{
    u_char  text[NGX_WS_MGR_POSITION_LEN];
    size_t  len;

    if (position->epoch == 0) {
        ngx_ws_mgr_text_format(t, 32, ",\"%s\":null", name);
        return;
    }

    len = ngx_ws_mgr_log_position(text, position) - text;

    ngx_ws_mgr_text_format(t, len + 32, ",\"%s\":\"%*s\"", name, len, text);
}
