
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Negotiation of permessage-deflate, RFC 7692 section 7.1, out of the header
 * field Sec-WebSocket-Extensions, RFC 6455 section 9.1.
 *
 * What is agreed on never lets the client keep its window between messages
 * ("client_no_context_takeover"), which RFC 7692 section 7.1.1.2 leaves to the
 * server, nor do we keep ours: so a connection that is idle has no state.
 */


#ifndef _NGX_WS_MGR_EXTENSION_H_INCLUDED_
#define _NGX_WS_MGR_EXTENSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_WINDOW_MIN  8           /* bits of an LZ77 window */
#define NGX_WS_MGR_WINDOW_MAX  15

#define NGX_WS_MGR_EXTENSION_LEN                                              \
    (sizeof("permessage-deflate; server_no_context_takeover; "                \
            "client_no_context_takeover; server_max_window_bits=15") - 1)


/* zeroed at first: nothing is agreed on */

typedef struct {
    uint8_t   window;              /* bits of the window that we may compress
                                      with, WINDOW_MIN to _MAX; 0: none */
    unsigned  named:1;             /* the offer named it, so the answer does */
} ngx_ws_mgr_extension_t;


/*
 * Reads the offers of one header field, in the client's order.  The first
 * that can be accepted is agreed on, unless one of an earlier field was; one
 * with an unknown, repeated or ill-valued parameter cannot, nor can other
 * extensions.  NGX_ERROR: the field is malformed, and the handshake fails.
 */
ngx_int_t ngx_ws_mgr_extension_offers(ngx_str_t *field,
    ngx_ws_mgr_extension_t *agreed);

/* the field of the answer, where window is not 0, at p, which has room for
   EXTENSION_LEN; returns its end */
u_char *ngx_ws_mgr_extension_answer(u_char *p,
    ngx_ws_mgr_extension_t *agreed);


#endif /* _NGX_WS_MGR_EXTENSION_H_INCLUDED_ */
