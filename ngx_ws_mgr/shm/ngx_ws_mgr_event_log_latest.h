
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Events of class latest, of which only the newest with one run_id, type and
 * address counts for a socket that lags.  For the files of the noun "log".
 */


#ifndef _NGX_WS_MGR_EVENT_LOG_LATEST_H_INCLUDED_
#define _NGX_WS_MGR_EVENT_LOG_LATEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_event_log.h>


/* bytes of a block whose event takes "size" without */
size_t ngx_ws_mgr_log_latest_size(size_t size, size_t run_len,
    size_t type_len);

/* what stands behind the event */
ngx_ws_mgr_latest_t *ngx_ws_mgr_log_latest(ngx_ws_mgr_event_t *event);

/* the event, complete, is the latest from now on, unless it is older than the
   one that is */
void ngx_ws_mgr_log_latest_insert(ngx_ws_mgr_ids_t *ids,
    ngx_ws_mgr_event_t *event, ngx_ws_mgr_entry_t *entry);
/* of one that is not superseded */
void ngx_ws_mgr_log_latest_remove(ngx_ws_mgr_ids_t *ids,
    ngx_ws_mgr_event_t *event);


#endif /* _NGX_WS_MGR_EVENT_LOG_LATEST_H_INCLUDED_ */
