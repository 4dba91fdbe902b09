
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Notices of sockets that come and go, POSTed to the location that
 * ws_mgr_notify names: again and again until it answers with 2xx, those of one
 * connection in order.  A worker that goes away tries on for ws_mgr_drain.
 */


#ifndef _NGX_WS_MGR_NOTIFY_H_INCLUDED_
#define _NGX_WS_MGR_NOTIFY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_session.h>


/* notices of a worker that wait, at most: more are thrown away */
#define NGX_WS_MGR_NOTIFY_WAITING  20000


/* where the session's location has it; the place is that of the session, in
   the registry still */
void ngx_ws_mgr_notify_connect(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place);
void ngx_ws_mgr_notify_disconnect(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place);

/* in exit_process: counts what was not taken, and says so */
void ngx_ws_mgr_notify_exit(ngx_log_t *log);


#endif /* _NGX_WS_MGR_NOTIFY_H_INCLUDED_ */
