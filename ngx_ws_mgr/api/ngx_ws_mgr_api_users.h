
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Who is online, users and their connections, and sending them away.
 */


#ifndef _NGX_WS_MGR_API_USERS_H_INCLUDED_
#define _NGX_WS_MGR_API_USERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_ws_mgr_api_users_list(ngx_http_request_t *r, ngx_str_t *arg);
ngx_int_t ngx_ws_mgr_api_users_disconnect(ngx_http_request_t *r,
    ngx_str_t *user);


#endif /* _NGX_WS_MGR_API_USERS_H_INCLUDED_ */
