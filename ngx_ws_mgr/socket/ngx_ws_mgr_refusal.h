
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The table of refusals of an upgrade (PROTOCOL section 2).
 */


#ifndef _NGX_WS_MGR_REFUSAL_H_INCLUDED_
#define _NGX_WS_MGR_REFUSAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_counter.h>


typedef enum {
    NGX_WS_MGR_REFUSAL_NONE = 0,
    NGX_WS_MGR_REFUSAL_BAD_REQUEST,
    NGX_WS_MGR_REFUSAL_UPGRADE_REQUIRED,
    NGX_WS_MGR_REFUSAL_ORIGIN,
    NGX_WS_MGR_REFUSAL_LIMIT_TOTAL,
    NGX_WS_MGR_REFUSAL_LIMIT_ADDRESS,
    NGX_WS_MGR_REFUSAL_DRAINING,
    NGX_WS_MGR_REFUSAL_TICKET_MISSING,
    NGX_WS_MGR_REFUSAL_TICKET_INVALID,
    NGX_WS_MGR_REFUSAL_TICKET_EXPIRED,
    NGX_WS_MGR_REFUSAL_TICKET_USED,
    NGX_WS_MGR_REFUSAL_STORE,
    NGX_WS_MGR_REFUSAL_FORBIDDEN,
    NGX_WS_MGR_REFUSAL_LIMIT_USER,
    NGX_WS_MGR_REFUSAL_MEMORY,
    NGX_WS_MGR_REFUSAL_NO_SLOT
} ngx_ws_mgr_refusal_e;


typedef struct {
    ngx_str_t               code;
    ngx_ws_mgr_counter_e    counter;
    ngx_uint_t              status;
    ngx_uint_t              close;         /* code; 0: always HTTP */
    ngx_uint_t              retry_after;   /* seconds, 0: none */
    const char             *reason;        /* of the close frame */
    const char             *title;
    const char             *detail;        /* where there is none better */
} ngx_ws_mgr_refusal_t;


/* one row a ngx_ws_mgr_refusal_e */
extern const ngx_ws_mgr_refusal_t  ngx_ws_mgr_refusals[];

/* the HTTP answer; "detail" NULL: the row's.  Returns what to finalize with */
ngx_int_t ngx_ws_mgr_refusal_send(ngx_http_request_t *r,
    ngx_ws_mgr_refusal_e refusal, const char *detail);


#endif /* _NGX_WS_MGR_REFUSAL_H_INCLUDED_ */
