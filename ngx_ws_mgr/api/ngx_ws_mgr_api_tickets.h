
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Tickets over HTTP: issue, look without consuming, revoke.
 */


#ifndef _NGX_WS_MGR_API_TICKETS_H_INCLUDED_
#define _NGX_WS_MGR_API_TICKETS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_ws_mgr_api_tickets_issue(ngx_http_request_t *r, ngx_str_t *arg);
ngx_int_t ngx_ws_mgr_api_tickets_look(ngx_http_request_t *r, ngx_str_t *id);
ngx_int_t ngx_ws_mgr_api_tickets_revoke(ngx_http_request_t *r,
    ngx_str_t *id);


#endif /* _NGX_WS_MGR_API_TICKETS_H_INCLUDED_ */
