
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The page that the API location serves at its root: one file, that needs
 * nothing from elsewhere.
 */


#ifndef _NGX_WS_MGR_STATUS_PAGE_H_INCLUDED_
#define _NGX_WS_MGR_STATUS_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


extern ngx_str_t  ngx_ws_mgr_status_page;
extern ngx_str_t  ngx_ws_mgr_status_policy;    /* Content-Security-Policy */


#endif /* _NGX_WS_MGR_STATUS_PAGE_H_INCLUDED_ */
