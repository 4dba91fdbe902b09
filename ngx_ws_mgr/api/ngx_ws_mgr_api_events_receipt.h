
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What was sent and confirmed where, for a publisher that lost its answer
 * (GET events/{user}).
 */


#ifndef _NGX_WS_MGR_API_EVENTS_RECEIPT_H_INCLUDED_
#define _NGX_WS_MGR_API_EVENTS_RECEIPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_text.h>


/*
 * ,"receipt":{…}: of those of the user's connections that the event was for
 * and that are there still, what each has of it.  "position" is the event's,
 * event_size the largest that is posted.
 */
void ngx_ws_mgr_api_receipt_event(ngx_ws_mgr_event_info_t *info,
    ngx_str_t *user, ngx_str_t *event_id, ngx_ws_mgr_position_t *position,
    size_t event_size, ngx_ws_mgr_text_t *t);

/* ,"connections":[…] of the user, as in GET users/{user}: how far each has
   the log; null where there are too many */
void ngx_ws_mgr_api_receipt_connections(ngx_str_t *user, ngx_ws_mgr_text_t *t);


#endif /* _NGX_WS_MGR_API_EVENTS_RECEIPT_H_INCLUDED_ */
