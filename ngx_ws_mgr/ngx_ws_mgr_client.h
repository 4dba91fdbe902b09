
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What a session tells, and who of us it is for.
 */


#ifndef _NGX_WS_MGR_CLIENT_H_INCLUDED_
#define _NGX_WS_MGR_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_session.h>


/* of sessions that begin an ngx_ws_mgr_client_t whose conf is a
   ngx_ws_mgr_loc_conf_t; its conn is NULL where it was refused by a close */
extern const ngx_ws_mgr_session_handlers_t  ngx_ws_mgr_client_handlers;


#endif /* _NGX_WS_MGR_CLIENT_H_INCLUDED_ */
