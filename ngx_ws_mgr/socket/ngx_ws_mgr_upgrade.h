
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The opening handshake of RFC 6455, section 4.2, without any policy: is it
 * one, and the 101.
 */


#ifndef _NGX_WS_MGR_UPGRADE_H_INCLUDED_
#define _NGX_WS_MGR_UPGRADE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_extension.h>
#include <ngx_ws_mgr_refusal.h>


/* NGX_WS_MGR_REFUSAL_NONE, or why not, with *detail saying more */
ngx_ws_mgr_refusal_e ngx_ws_mgr_upgrade_check(ngx_http_request_t *r,
    const char **detail);

/* the offers of all Sec-WebSocket-Extensions fields: what is agreed on, zeroed
   at first.  NGX_ERROR: one is malformed */
ngx_int_t ngx_ws_mgr_upgrade_extensions(ngx_http_request_t *r,
    ngx_ws_mgr_extension_t *agreed);

/*
 * Sends the 101 to a request that passed the check; "protocol" (NULL: none)
 * is what is chosen of Sec-WebSocket-Protocol, "agreed" what of the
 * extensions.  NGX_OK or NGX_AGAIN: sent, or being sent; NGX_ERROR.
 */
ngx_int_t ngx_ws_mgr_upgrade_send(ngx_http_request_t *r, ngx_str_t *protocol,
    ngx_ws_mgr_extension_t *agreed);



#endif /* _NGX_WS_MGR_UPGRADE_H_INCLUDED_ */
