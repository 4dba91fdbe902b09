
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the server says of a client's place in its logs: the welcome and the
 * gap (PROTOCOL section 3).
 */


#ifndef _NGX_WS_MGR_WELCOME_H_INCLUDED_
#define _NGX_WS_MGR_WELCOME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_session.h>


/* {"type":"connection_established", …}; "broadcast" is NULL where the node
   does not broadcast */
void ngx_ws_mgr_welcome_send(ngx_ws_mgr_session_t *s, ngx_ws_mgr_who_t *who,
    ngx_ws_mgr_seek_t *own, ngx_ws_mgr_seek_t *broadcast);

/* {"type":"gap", …}; "from" is what the client presented, of any bytes */
void ngx_ws_mgr_welcome_gap(ngx_ws_mgr_session_t *s, ngx_str_t *from,
    ngx_ws_mgr_position_t *to, const char *reason);


/* {"type":"stream_reset", …}: the log's past is lost, it goes on from here */
void ngx_ws_mgr_welcome_reset(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_position_t *position, const char *reason);


#endif /* _NGX_WS_MGR_WELCOME_H_INCLUDED_ */
