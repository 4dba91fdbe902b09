
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * HTTP answers: RFC 9457 problems, and JSON documents.
 */


#ifndef _NGX_WS_MGR_PROBLEM_H_INCLUDED_
#define _NGX_WS_MGR_PROBLEM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <jansson.h>


typedef struct {
    ngx_uint_t    status;
    const char   *code;             /* of PROTOCOL, e.g. "ticket_used" */
    const char   *title;            /* short, the same for each code */
    const char   *detail;           /* this occurrence; static or in pool */
    ngx_str_t     member;           /* the member at fault, or empty */
    ngx_uint_t    line;             /* 1-based, 0: does not apply */
    ngx_uint_t    column;           /* bytes, 1-based */
    ngx_uint_t    retry_after;      /* seconds, 0: no such header */
} ngx_ws_mgr_problem_t;


/*
 * Sends application/problem+json with type, title, status, code, detail and
 * where.  For 426 the header fields Upgrade and Sec-WebSocket-Version: 13 are
 * added; for 401 of an API the caller adds WWW-Authenticate.  Returns what a
 * content handler returns to finalize with.
 */
ngx_int_t ngx_ws_mgr_problem_send(ngx_http_request_t *r,
    ngx_ws_mgr_problem_t *problem);

/* the problem as a JSON object (for the item of a batch); NULL: no memory */
json_t *ngx_ws_mgr_problem_json(ngx_ws_mgr_problem_t *problem);

/* sends a document and takes over the reference */
ngx_int_t ngx_ws_mgr_problem_send_json(ngx_http_request_t *r,
    ngx_uint_t status, json_t *document);

/* sends a ready body, which lives in r->pool; discards what is left of the
   body of the request */
ngx_int_t ngx_ws_mgr_problem_send_body(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_str_t *body);

/* adds a response header; "name" is static, value is in r->pool or static */
ngx_int_t ngx_ws_mgr_problem_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


#endif /* _NGX_WS_MGR_PROBLEM_H_INCLUDED_ */
