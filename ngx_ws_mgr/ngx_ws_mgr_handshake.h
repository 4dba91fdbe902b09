
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
#include <ngx_ws_mgr_conf.h>


/* content handler of a location with ws_mgr_socket */
ngx_int_t ngx_ws_mgr_handshake_handler(ngx_http_request_t *r);

/*
 * Of the rewrite phase: takes the ticket out of the request before any access
 * phase can refuse it, and masks it where logs read it.  In an API location
 * r->uri becomes a copy, which is not masked: the handler needs its
 * tickets/{id}.
 */
ngx_int_t ngx_ws_mgr_handshake_mask(ngx_http_request_t *r);

/* of the log phase, before the access log: masks what is still to be masked,
   r->uri included */
ngx_int_t ngx_ws_mgr_handshake_log(ngx_http_request_t *r);

/* the request's context, found after an internal redirect too, or NULL */
ngx_ws_mgr_ctx_t *ngx_ws_mgr_handshake_ctx(ngx_http_request_t *r);


#endif /* _NGX_WS_MGR_HANDSHAKE_H_INCLUDED_ */
