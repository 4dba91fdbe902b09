
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_counter.h>


#define NGX_WS_MGR_FAULT_UNCOUNTED  NGX_WS_MGR_COUNTERS

#define NGX_WS_MGR_FAULT_RETRY      1      /* seconds */


typedef struct {
    ngx_uint_t    status;
    const char   *code;
    const char   *title;
    ngx_uint_t    counter;                 /* of events refused so */
    ngx_uint_t    retry_after;
} ngx_ws_mgr_fault_t;


/* in the order of ngx_ws_mgr_fault_e */

static const ngx_ws_mgr_fault_t  ngx_ws_mgr_faults[] = {

    { 400, "bad_request", "Bad request",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 404, "not_found", "No such resource",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 405, "method_not_allowed", "Method not allowed",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 404, "user_unknown", "No such user",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 404, "connection_unknown", "No such connection",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 404, "event_unknown", "No such event",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 400, "invalid_json", "Invalid JSON",
      NGX_WS_MGR_EVENTS_REJECTED_JSON, 0 },

    { 422, "invalid_event", "Invalid event",
      NGX_WS_MGR_EVENTS_REJECTED_EVENT, 0 },

    { 422, "placeholder_id", "Placeholder in place of a user",
      NGX_WS_MGR_EVENTS_REJECTED_PLACEHOLDER, 0 },

    { 422, "schema", "Event lacks what its type requires",
      NGX_WS_MGR_EVENTS_REJECTED_SCHEMA, 0 },

    { 409, "run_order", "Event out of the order of its run",
      NGX_WS_MGR_EVENTS_REJECTED_RUN_ORDER, 0 },

    { 409, "event_id_conflict", "Same event_id with another body",
      NGX_WS_MGR_EVENTS_REJECTED_CONFLICT, 0 },

    { 403, "broadcast_denied", "Broadcast not allowed here",
      NGX_WS_MGR_EVENTS_REJECTED_BROADCAST, 0 },

    { 413, "too_large", "Too large",
      NGX_WS_MGR_EVENTS_REJECTED_LARGE, 0 },

    { 415, "unsupported_media_type", "Unsupported media type",
      NGX_WS_MGR_EVENTS_REJECTED_MEDIA, 0 },

    { 503, "unavailable", "Unavailable",
      NGX_WS_MGR_EVENTS_REJECTED_UNAVAILABLE, NGX_WS_MGR_FAULT_RETRY },

    { 422, "invalid_ticket", "Invalid ticket",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 404, "ticket_unknown", "No such ticket",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 410, "ticket_expired", "Ticket expired",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 410, "ticket_used", "Ticket already used",
      NGX_WS_MGR_FAULT_UNCOUNTED, 0 },

    { 503, "ticket_store_unavailable", "Ticket store unavailable",
      NGX_WS_MGR_FAULT_UNCOUNTED, NGX_WS_MGR_FAULT_RETRY },

    { 503, "out_of_memory", "Shared memory exhausted",
      NGX_WS_MGR_FAULT_UNCOUNTED, NGX_WS_MGR_FAULT_RETRY },

    { 503, "no_slot", "No worker slot",
      NGX_WS_MGR_FAULT_UNCOUNTED, NGX_WS_MGR_FAULT_RETRY }
};


void
ngx_ws_mgr_api_fault_fill(ngx_ws_mgr_problem_t *problem,
    ngx_ws_mgr_fault_e fault, const char *detail)
{
    const ngx_ws_mgr_fault_t  *f;

    f = &ngx_ws_mgr_faults[fault];

    ngx_memzero(problem, sizeof(ngx_ws_mgr_problem_t));

    problem->status = f->status;
    problem->code = f->code;
    problem->title = f->title;
    problem->detail = detail;
    problem->retry_after = f->retry_after;
}


void
ngx_ws_mgr_api_fault_count(ngx_ws_mgr_fault_e fault)
{
    const ngx_ws_mgr_fault_t  *f;

    f = &ngx_ws_mgr_faults[fault];

    if (f->counter != NGX_WS_MGR_FAULT_UNCOUNTED) {
        ngx_ws_mgr_count_at(f->counter);
    }
}


void
ngx_ws_mgr_api_fault_text(ngx_ws_mgr_text_t *t, ngx_ws_mgr_problem_t *problem)
{
    ngx_str_t  detail;

    detail.data = (u_char *) problem->detail;
    detail.len = ngx_strlen(problem->detail);

    ngx_ws_mgr_text_format(t, 256,
                           "\"status\":%ui,\"code\":\"%s\",\"title\":\"%s\","
                           "\"detail\":",
                           problem->status, problem->code, problem->title);
    ngx_ws_mgr_text_string(t, &detail);

    if (problem->member.len) {
        ngx_ws_mgr_text_put(t, ",\"member\":");
        ngx_ws_mgr_text_string(t, &problem->member);
    }

    if (problem->line) {
        ngx_ws_mgr_text_format(t, 2 * NGX_INT_T_LEN + 32,
                               ",\"line\":%ui,\"column\":%ui",
                               problem->line, problem->column);
    }
}


ngx_int_t
ngx_ws_mgr_api_fault(ngx_http_request_t *r, ngx_ws_mgr_fault_e fault,
    const char *detail)
{
    ngx_ws_mgr_problem_t  problem;

    ngx_ws_mgr_api_fault_fill(&problem, fault, detail);

    return ngx_ws_mgr_problem_send(r, &problem);
}


ngx_int_t
ngx_ws_mgr_api_fault_member(ngx_http_request_t *r, ngx_ws_mgr_fault_e fault,
    const char *member, const char *detail)
{
    ngx_ws_mgr_problem_t  problem;

    ngx_ws_mgr_api_fault_fill(&problem, fault, detail);

    problem.member.data = (u_char *) member;
    problem.member.len = ngx_strlen(member);

    return ngx_ws_mgr_problem_send(r, &problem);
}
