
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Who may use an API location: with a key file, whoever has a key; else
 * loopback and unix peers, and whom a rule of the location lets in.
 */


#ifndef _NGX_WS_MGR_API_ACCESS_H_INCLUDED_
#define _NGX_WS_MGR_API_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>


/* NGX_DECLINED: nothing against it; else the request was answered, and this
   finalizes it */
ngx_int_t ngx_ws_mgr_api_guard(ngx_http_request_t *r,
    ngx_ws_mgr_loc_conf_t *conf);


#endif /* _NGX_WS_MGR_API_ACCESS_H_INCLUDED_ */
