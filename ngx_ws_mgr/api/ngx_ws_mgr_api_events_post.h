
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * POST events (PROTOCOL section 4).
 */


#ifndef _NGX_WS_MGR_API_EVENTS_POST_H_INCLUDED_
#define _NGX_WS_MGR_API_EVENTS_POST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_ws_mgr_api_publish(ngx_http_request_t *r, ngx_str_t *arg);


#endif /* _NGX_WS_MGR_API_EVENTS_POST_H_INCLUDED_ */
