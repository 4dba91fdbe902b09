
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The API location (PROTOCOL section 5): one table of method, path, handler.
 */


#ifndef _NGX_WS_MGR_API_H_INCLUDED_
#define _NGX_WS_MGR_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>


/*
 * A handler of a row: "arg" is the decoded path segment behind the resource,
 * or empty; the return value finalizes the request, NGX_DONE where the
 * handler has taken a reference and finalizes later.
 */
typedef ngx_int_t (*ngx_ws_mgr_api_pt)(ngx_http_request_t *r,
    ngx_str_t *arg);


/* content handler of a location with ws_mgr_api */
ngx_int_t ngx_ws_mgr_api_handler(ngx_http_request_t *r);


#endif /* _NGX_WS_MGR_API_H_INCLUDED_ */
