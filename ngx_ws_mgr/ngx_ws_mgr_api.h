
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The API location (PROTOCOL section 5): who may, and one table of method,
 * path and handler.
 */


#ifndef _NGX_WS_MGR_API_H_INCLUDED_
#define _NGX_WS_MGR_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>


/* content handler of a location with ws_mgr_api */
ngx_int_t ngx_ws_mgr_api_handler(ngx_http_request_t *r);


/*
 * A handler of a row: "arg" is the decoded path segment behind the resource,
 * or empty; the return value finalizes the request, NGX_DONE where the
 * handler has taken a reference and finalizes later.
 */
typedef ngx_int_t (*ngx_ws_mgr_api_pt)(ngx_http_request_t *r,
    ngx_str_t *arg);

/* api_publish.c, api_tickets.c, api_users.c, status.c */
ngx_int_t ngx_ws_mgr_publish_post(ngx_http_request_t *r, ngx_str_t *arg);
ngx_int_t ngx_ws_mgr_publish_get(ngx_http_request_t *r, ngx_str_t *arg);


#endif /* _NGX_WS_MGR_API_H_INCLUDED_ */
