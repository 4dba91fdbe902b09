
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * GET users/{user}, and ?wait=online: until the user has a connection.
 */


#ifndef _NGX_WS_MGR_API_USER_H_INCLUDED_
#define _NGX_WS_MGR_API_USER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_ws_mgr_api_online(ngx_http_request_t *r, ngx_str_t *user);


#endif /* _NGX_WS_MGR_API_USER_H_INCLUDED_ */
