
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the noun "status" share.  Not for others.
 */


#ifndef _NGX_WS_MGR_STATUS_IO_H_INCLUDED_
#define _NGX_WS_MGR_STATUS_IO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_status.h>
#include <ngx_ws_mgr_text.h>


typedef struct {
    ngx_ws_mgr_usage_t     usage;
    ngx_ws_mgr_tokens_t    tokens;
    ngx_uint_t             workers;
    ngx_uint_t             dead;           /* slots that wait to be swept */
    ngx_uint_t             leaving;        /* slots that are given back */
    ngx_uint_t             slots;
    ngx_uint_t             slots_used;
} ngx_ws_mgr_status_t;


/* NGX_DECLINED: this process has no shared memory of ours */
ngx_int_t ngx_ws_mgr_status_gather(ngx_ws_mgr_status_t *status);

ngx_int_t ngx_ws_mgr_status_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_ws_mgr_text_t *t);


#endif /* _NGX_WS_MGR_STATUS_IO_H_INCLUDED_ */
