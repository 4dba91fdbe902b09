
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_frame.h>
#include <ngx_ws_mgr_problem.h>
#include <ngx_ws_mgr_refusal.h>


const ngx_ws_mgr_refusal_t  ngx_ws_mgr_refusals[] = {

    /* NONE */
    { ngx_null_string, NGX_WS_MGR_UPGRADES, 101, 0, 0, NULL, NULL, NULL },

    { ngx_string("bad_request"), NGX_WS_MGR_REFUSED_BAD_REQUEST,
      NGX_HTTP_BAD_REQUEST, 0, 0, NULL,
      "Bad Request", "this is not a WebSocket handshake of RFC 6455" },

    { ngx_string("upgrade_required"), NGX_WS_MGR_REFUSED_UPGRADE_REQUIRED,
      426, 0, 0, NULL,
      "Upgrade Required", "this location speaks WebSocket, version 13" },

    { ngx_string("origin_denied"), NGX_WS_MGR_REFUSED_ORIGIN,
      NGX_HTTP_FORBIDDEN, 0, 0, NULL,
      "Origin Denied", "pages of this origin may not connect here" },

    { ngx_string("limit_total"), NGX_WS_MGR_REFUSED_LIMIT_TOTAL,
      NGX_HTTP_TOO_MANY_REQUESTS, NGX_WS_MGR_CLOSE_TRY_LATER, 10,
      "Too many connections",
      "Too Many Connections", "the server has all the connections it may" },

    { ngx_string("limit_address"), NGX_WS_MGR_REFUSED_LIMIT_ADDRESS,
      NGX_HTTP_TOO_MANY_REQUESTS, NGX_WS_MGR_CLOSE_TRY_LATER, 10,
      "Too many connections of this address",
      "Too Many Connections", "this address has all the connections it may" },

    { ngx_string("draining"), NGX_WS_MGR_REFUSED_DRAINING,
      NGX_HTTP_SERVICE_UNAVAILABLE, NGX_WS_MGR_CLOSE_RESTART, 1,
      "Restarting",
      "Draining", "this worker is going away, connect again" },

    { ngx_string("ticket_missing"), NGX_WS_MGR_REFUSED_TICKET_MISSING,
      NGX_HTTP_UNAUTHORIZED, NGX_WS_MGR_CLOSE_POLICY, 0,
      "Invalid ticket",
      "Ticket Missing", "offer the subprotocol ticket.<ticket_id>, or use "
      "the query argument ticket" },

    { ngx_string("ticket_invalid"), NGX_WS_MGR_REFUSED_TICKET_INVALID,
      NGX_HTTP_UNAUTHORIZED, NGX_WS_MGR_CLOSE_POLICY, 0,
      "Invalid ticket",
      "Invalid Ticket", "no such ticket was issued" },

    { ngx_string("ticket_expired"), NGX_WS_MGR_REFUSED_TICKET_EXPIRED,
      NGX_HTTP_UNAUTHORIZED, NGX_WS_MGR_CLOSE_POLICY, 0,
      "Ticket expired",
      "Ticket Expired", "the ticket was not used in time" },

    { ngx_string("ticket_used"), NGX_WS_MGR_REFUSED_TICKET_USED,
      NGX_HTTP_UNAUTHORIZED, NGX_WS_MGR_CLOSE_POLICY, 0,
      "Ticket already used",
      "Ticket Used", "the ticket was good for one connection" },

    { ngx_string("ticket_store_unavailable"), NGX_WS_MGR_REFUSED_STORE,
      NGX_HTTP_SERVICE_UNAVAILABLE, NGX_WS_MGR_CLOSE_TRY_LATER, 1,
      "Try again later",
      "Ticket Store Unavailable", "the ticket could not be looked up" },

    { ngx_string("forbidden"), NGX_WS_MGR_REFUSED_FORBIDDEN,
      NGX_HTTP_FORBIDDEN, NGX_WS_MGR_CLOSE_POLICY, 0,
      "Forbidden",
      "Forbidden", "the ticket lacks the permission that is required here" },

    { ngx_string("limit_user"), NGX_WS_MGR_REFUSED_LIMIT_USER,
      NGX_HTTP_TOO_MANY_REQUESTS, NGX_WS_MGR_CLOSE_TRY_LATER, 10,
      "Too many connections of this user",
      "Too Many Connections", "this user has all the connections they may" },

    { ngx_string("out_of_memory"), NGX_WS_MGR_REFUSED_MEMORY,
      NGX_HTTP_SERVICE_UNAVAILABLE, NGX_WS_MGR_CLOSE_TRY_LATER, 5,
      "Out of memory",
      "Out Of Memory", "the shared memory is exhausted" },

    { ngx_string("no_slot"), NGX_WS_MGR_REFUSED_NO_SLOT,
      NGX_HTTP_SERVICE_UNAVAILABLE, NGX_WS_MGR_CLOSE_TRY_LATER, 1,
      "Try again later",
      "No Worker Slot", "this worker process waits for a slot, which other "
      "worker processes have" }
};


ngx_int_t
ngx_ws_mgr_refusal_send(ngx_http_request_t *r, ngx_ws_mgr_refusal_e refusal,
    const char *detail)
{
    ngx_ws_mgr_problem_t         problem;
    const ngx_ws_mgr_refusal_t  *row;

    row = &ngx_ws_mgr_refusals[refusal];

    ngx_memzero(&problem, sizeof(ngx_ws_mgr_problem_t));

    problem.status = row->status;
    problem.code = (const char *) row->code.data;
    problem.title = row->title;
    problem.detail = detail ? detail : row->detail;
    problem.retry_after = row->retry_after;

    return ngx_ws_mgr_problem_send(r, &problem);
}
