
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One connection: its state, and sending it away.
 */


#ifndef _NGX_WS_MGR_API_CONNECTIONS_H_INCLUDED_
#define _NGX_WS_MGR_API_CONNECTIONS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_text.h>


ngx_int_t ngx_ws_mgr_api_connections_look(ngx_http_request_t *r,
    ngx_str_t *id);
ngx_int_t ngx_ws_mgr_api_connections_disconnect(ngx_http_request_t *r,
    ngx_str_t *id);

/* the connection as a JSON object, with its user where "user" is true */
void ngx_ws_mgr_api_connections_text(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_conn_info_t *info, ngx_uint_t user);

/*
 * The close code that the query argument "return" asks for: 4501 for "no",
 * 4005 for "yes" or none.  NGX_ABORT: it is something else.
 */
ngx_int_t ngx_ws_mgr_api_connections_code(ngx_http_request_t *r,
    ngx_uint_t *code);


#endif /* _NGX_WS_MGR_API_CONNECTIONS_H_INCLUDED_ */
