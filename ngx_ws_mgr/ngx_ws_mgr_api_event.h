
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One posted event: read, checked, published, and its result written.
 */


#ifndef _NGX_WS_MGR_API_EVENT_H_INCLUDED_
#define _NGX_WS_MGR_API_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_api_posting.h>
#include <ngx_ws_mgr_text.h>


/*
 * NGX_OK: accepted, its result was added to t; NGX_DECLINED: it is in no log,
 * and refusal says why.
 */
ngx_int_t ngx_ws_mgr_api_event_post(ngx_ws_mgr_api_event_t *event,
    ngx_ws_mgr_span_t *posted, ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_api_refusal_t *refusal);


#endif /* _NGX_WS_MGR_API_EVENT_H_INCLUDED_ */
