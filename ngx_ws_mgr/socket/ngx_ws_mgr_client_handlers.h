
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What a session tells, and who of us it is for.
 */


#ifndef _NGX_WS_MGR_CLIENT_HANDLERS_H_INCLUDED_
#define _NGX_WS_MGR_CLIENT_HANDLERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_session.h>


/* of sessions that begin an ngx_ws_mgr_client_t and whose conf is part of an
   ngx_ws_mgr_loc_conf_t; one that was refused by a close has no place */
extern const ngx_ws_mgr_session_handlers_t  ngx_ws_mgr_client_handlers;


#endif /* _NGX_WS_MGR_CLIENT_HANDLERS_H_INCLUDED_ */
