
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * POST events with an NDJSON body of unknown length: each line is published
 * when it is there, and answered by a line of its own.
 */


#ifndef _NGX_WS_MGR_API_EVENTS_STREAM_H_INCLUDED_
#define _NGX_WS_MGR_API_EVENTS_STREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_posting.h>


/* a content handler; "event" is what all lines share, but for body and pool */
ngx_int_t ngx_ws_mgr_api_stream(ngx_http_request_t *r,
    ngx_ws_mgr_api_event_t *event);


#endif /* _NGX_WS_MGR_API_EVENTS_STREAM_H_INCLUDED_ */
