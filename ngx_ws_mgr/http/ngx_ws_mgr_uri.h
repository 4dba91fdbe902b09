
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Paths and query arguments of the API: percent-decoded exactly once.
 */


#ifndef _NGX_WS_MGR_URI_H_INCLUDED_
#define _NGX_WS_MGR_URI_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Splits what follows the location's prefix into <resource>[/<arg>], the
 * latter decoded, so that it may hold a slash that came as %2F.  Either may
 * be empty.  NGX_OK; NGX_DECLINED: no such path; NGX_ABORT: the encoding is
 * wrong, or it holds a NUL or is not UTF-8; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_api_path(ngx_http_request_t *r, ngx_str_t *resource,
    ngx_str_t *arg);

/*
 * A query argument, decoded.  NGX_DECLINED: there is none; NGX_ABORT and
 * NGX_ERROR as above.
 */
ngx_int_t ngx_ws_mgr_api_query(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * A query argument that is a decimal number from min to max; "def" where
 * there is none.  NGX_ABORT: it is something else.
 */
ngx_int_t ngx_ws_mgr_api_query_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t min, ngx_uint_t max, ngx_uint_t def,
    ngx_uint_t *value);


#endif /* _NGX_WS_MGR_URI_H_INCLUDED_ */
