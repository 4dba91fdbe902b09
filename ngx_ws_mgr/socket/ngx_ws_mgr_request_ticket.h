
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The ticket that a request carries: found, taken out, and masked where logs
 * would show it (PROTOCOL section 1).
 */


#ifndef _NGX_WS_MGR_REQUEST_TICKET_H_INCLUDED_
#define _NGX_WS_MGR_REQUEST_TICKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>


/*
 * Of the rewrite phase, before any access phase can refuse the request.  In
 * an API location r->uri becomes a copy, which is not masked: the handler
 * needs its tickets/{id}.
 */
ngx_int_t ngx_ws_mgr_claim_take(ngx_http_request_t *r);

/* of the log phase, before the access log: masks what is still to be masked,
   r->uri included */
ngx_int_t ngx_ws_mgr_claim_log(ngx_http_request_t *r);

/* the module's context of a request, found after an internal redirect too,
   or NULL */
ngx_ws_mgr_ctx_t *ngx_ws_mgr_claim_ctx(ngx_http_request_t *r);


#endif /* _NGX_WS_MGR_REQUEST_TICKET_H_INCLUDED_ */
