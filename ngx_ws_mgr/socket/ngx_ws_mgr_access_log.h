
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * When a socket ends, one line goes to the access log of its location.
 */


#ifndef _NGX_WS_MGR_ACCESS_LOG_H_INCLUDED_
#define _NGX_WS_MGR_ACCESS_LOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_fanout.h>


/*
 * Runs the log phase of the client's location with a request made for it:
 * status 101, request time the session's, bytes and body bytes what was sent,
 * request length what was received, and as $request
 *
 *   WEBSOCKET <location> user=… connection=… seconds=… in=frames/bytes
 *   out=frames/bytes close=code by=server|client|lost
 *
 * on one line, with the user percent-encoded.  Headers, arguments and the
 * like are empty.  To be called from the session's end(), with the registry
 * record gone: what it needs of it is in the arguments.  Nothing of the
 * connection is changed.
 */
void ngx_ws_mgr_access_log(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_loc_conf_t *conf, ngx_str_t *user, ngx_str_t *connection);


#endif /* _NGX_WS_MGR_ACCESS_LOG_H_INCLUDED_ */
