
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the API refuses: one table of status, code, title and counter.
 */


#ifndef _NGX_WS_MGR_FAULT_H_INCLUDED_
#define _NGX_WS_MGR_FAULT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_problem.h>
#include <ngx_ws_mgr_text.h>


typedef enum {
    NGX_WS_MGR_FAULT_REQUEST = 0,
    NGX_WS_MGR_FAULT_NOT_FOUND,
    NGX_WS_MGR_FAULT_METHOD,
    NGX_WS_MGR_FAULT_USER,
    NGX_WS_MGR_FAULT_CONNECTION,
    NGX_WS_MGR_FAULT_EVENT_UNKNOWN,
    NGX_WS_MGR_FAULT_JSON,
    NGX_WS_MGR_FAULT_EVENT,
    NGX_WS_MGR_FAULT_PLACEHOLDER,
    NGX_WS_MGR_FAULT_SCHEMA,
    NGX_WS_MGR_FAULT_RUN_ORDER,
    NGX_WS_MGR_FAULT_CONFLICT,
    NGX_WS_MGR_FAULT_BROADCAST,
    NGX_WS_MGR_FAULT_LARGE,
    NGX_WS_MGR_FAULT_MEDIA,
    NGX_WS_MGR_FAULT_UNAVAILABLE,
    NGX_WS_MGR_FAULT_TICKET,
    NGX_WS_MGR_FAULT_TICKET_UNKNOWN,
    NGX_WS_MGR_FAULT_TICKET_EXPIRED,
    NGX_WS_MGR_FAULT_TICKET_USED,
    NGX_WS_MGR_FAULT_TICKET_STORE,
    NGX_WS_MGR_FAULT_MEMORY,
    NGX_WS_MGR_FAULT_NO_SLOT,
    NGX_WS_MGR_FAULTS
} ngx_ws_mgr_fault_e;


/* zeroes the problem and fills it from the table; "detail" is static or in
   the request's pool */
void ngx_ws_mgr_api_fault_fill(ngx_ws_mgr_problem_t *problem,
    ngx_ws_mgr_fault_e fault, const char *detail);

/* counts an event that is refused so */
void ngx_ws_mgr_api_fault_count(ngx_ws_mgr_fault_e fault);

/* "status":422,"code":"…" and so on, for an object in a list */
void ngx_ws_mgr_api_fault_text(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_problem_t *problem);

/* fills and sends; counts nothing */
ngx_int_t ngx_ws_mgr_api_fault(ngx_http_request_t *r,
    ngx_ws_mgr_fault_e fault, const char *detail);
/* the same, with the name of the member or query argument at fault */
ngx_int_t ngx_ws_mgr_api_fault_member(ngx_http_request_t *r,
    ngx_ws_mgr_fault_e fault, const char *member, const char *detail);


#endif /* _NGX_WS_MGR_FAULT_H_INCLUDED_ */
