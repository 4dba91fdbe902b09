
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_output.h>
#include <ngx_ws_mgr_problem.h>


/* 16 digits print a time with microseconds as it was written */
#define NGX_WS_MGR_PROBLEM_FLAGS  (JSON_COMPACT|JSON_REAL_PRECISION(16))


static ngx_int_t ngx_ws_mgr_problem_headers(ngx_http_request_t *r,
    ngx_ws_mgr_problem_t *problem);
static ngx_int_t ngx_ws_mgr_problem_send_document(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, json_t *document);


static ngx_str_t  ngx_ws_mgr_problem_type =
    ngx_string("application/problem+json");
static ngx_str_t  ngx_ws_mgr_json_type = ngx_string("application/json");

static ngx_str_t  ngx_ws_mgr_problem_upgrade = ngx_string("upgrade");
static ngx_str_t  ngx_ws_mgr_problem_websocket = ngx_string("websocket");
static ngx_str_t  ngx_ws_mgr_problem_version = ngx_string("13");
static ngx_str_t  ngx_ws_mgr_problem_no_store = ngx_string("no-store");


ngx_int_t
ngx_ws_mgr_problem_send(ngx_http_request_t *r, ngx_ws_mgr_problem_t *problem)
{
    json_t  *document;

    if (problem->status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        r->keepalive = 0;
    }

    if (ngx_ws_mgr_problem_headers(r, problem) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    document = ngx_ws_mgr_problem_json(problem);

    return ngx_ws_mgr_problem_send_document(r, problem->status,
                                            &ngx_ws_mgr_problem_type,
                                            document);
}


static ngx_int_t
ngx_ws_mgr_problem_headers(ngx_http_request_t *r,
    ngx_ws_mgr_problem_t *problem)
{
    ngx_str_t  value;

    /* RFC 9110, 7.8: connection-specific fields are of HTTP/1.1 alone */

    if (problem->status == 426 && r->http_version < NGX_HTTP_VERSION_20) {
        if (ngx_ws_mgr_problem_header(r, "Connection",
                                      &ngx_ws_mgr_problem_upgrade)
            != NGX_OK
            || ngx_ws_mgr_problem_header(r, "Upgrade",
                                         &ngx_ws_mgr_problem_websocket)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (problem->status == 426
        && ngx_ws_mgr_problem_header(r, "Sec-WebSocket-Version",
                                     &ngx_ws_mgr_problem_version)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (problem->retry_after == 0) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", problem->retry_after)
                - value.data;

    return ngx_ws_mgr_problem_header(r, "Retry-After", &value);
}


json_t *
ngx_ws_mgr_problem_json(ngx_ws_mgr_problem_t *problem)
{
    json_t  *detail, *member, *line, *column;

    /* what may quote a client and is not UTF-8 is left out */

    detail = problem->detail ? json_string(problem->detail) : NULL;

    member = problem->member.len
             ? json_stringn((char *) problem->member.data, problem->member.len)
             : NULL;

    line = problem->line ? json_integer(problem->line) : NULL;
    column = problem->column ? json_integer(problem->column) : NULL;

    return json_pack("{s:o, s:s, s:i, s:s, s:o*, s:o*, s:o*, s:o*}",
                     "type", json_sprintf("urn:ngx-ws-mgr:%s", problem->code),
                     "title", problem->title,
                     "status", (int) problem->status,
                     "code", problem->code,
                     "detail", detail,
                     "member", member,
                     "line", line,
                     "column", column);
}


ngx_int_t
ngx_ws_mgr_problem_send_json(ngx_http_request_t *r, ngx_uint_t status,
    json_t *document)
{
    return ngx_ws_mgr_problem_send_document(r, status, &ngx_ws_mgr_json_type,
                                            document);
}


static ngx_int_t
ngx_ws_mgr_problem_send_document(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, json_t *document)
{
    size_t     len;
    ngx_str_t  body;

    if (document == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.len = json_dumpb(document, NULL, 0, NGX_WS_MGR_PROBLEM_FLAGS);
    body.data = body.len ? ngx_pnalloc(r->pool, body.len) : NULL;

    if (body.data == NULL) {
        json_decref(document);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = json_dumpb(document, (char *) body.data, body.len,
                     NGX_WS_MGR_PROBLEM_FLAGS);

    json_decref(document);

    /* 0: no memory for it, though there was to measure it */

    if (len != body.len) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_mgr_problem_send_body(r, status, type, &body);
}


ngx_int_t
ngx_ws_mgr_problem_send_body(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    /*
     * A body that nobody has read must not be taken for the next request, on
     * any method.  A broken one changes nothing of the answer, but no request
     * may follow it.
     */

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    if (ngx_ws_mgr_problem_header(r, "Cache-Control",
                                  &ngx_ws_mgr_problem_no_store)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;

    if (body->len == 0) {
        r->header_only = 1;

    } else {
        r->headers_out.content_type = *type;
        r->headers_out.content_type_len = type->len;
        r->headers_out.content_type_lowcase = NULL;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_ws_mgr_output(r, &out);
}


ngx_int_t
ngx_ws_mgr_problem_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;

    return NGX_OK;
}
