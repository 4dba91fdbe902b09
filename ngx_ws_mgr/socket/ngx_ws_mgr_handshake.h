
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The socket location (PROTOCOL sections 1 and 2): refusals in order, ticket,
 * 101, session, registry, welcome.
 */


#ifndef _NGX_WS_MGR_HANDSHAKE_H_INCLUDED_
#define _NGX_WS_MGR_HANDSHAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* content handler of a location with ws_mgr_socket */
ngx_int_t ngx_ws_mgr_handshake_handler(ngx_http_request_t *r);


#endif /* _NGX_WS_MGR_HANDSHAKE_H_INCLUDED_ */
