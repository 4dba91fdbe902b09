
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * GET health, status, metrics.
 */


#ifndef _NGX_WS_MGR_STATUS_H_INCLUDED_
#define _NGX_WS_MGR_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_ws_mgr_status_health(ngx_http_request_t *r, ngx_str_t *arg);
ngx_int_t ngx_ws_mgr_status_all(ngx_http_request_t *r, ngx_str_t *arg);
ngx_int_t ngx_ws_mgr_status_metrics(ngx_http_request_t *r, ngx_str_t *arg);


#endif /* _NGX_WS_MGR_STATUS_H_INCLUDED_ */
