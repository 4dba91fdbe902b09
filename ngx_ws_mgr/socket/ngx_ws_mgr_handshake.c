
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_request_ticket.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_handshake.h>
#include <ngx_ws_mgr_handshake_answer.h>
#include <ngx_ws_mgr_header.h>
#include <ngx_ws_mgr_origin.h>
#include <ngx_ws_mgr_refusal.h>
#include <ngx_ws_mgr_upgrade.h>
#include <ngx_ws_mgr_worker_slot.h>


static ngx_ws_mgr_handshake_t *ngx_ws_mgr_handshake_create(
    ngx_http_request_t *r);
static void ngx_ws_mgr_handshake_cleanup(void *data);
static ngx_ws_mgr_refusal_e ngx_ws_mgr_handshake_check(
    ngx_ws_mgr_handshake_t *hs);
static ngx_uint_t ngx_ws_mgr_handshake_origin(ngx_ws_mgr_handshake_t *hs);
static ngx_ws_mgr_refusal_e ngx_ws_mgr_handshake_admit(
    ngx_ws_mgr_handshake_t *hs);
static ngx_ws_mgr_refusal_e ngx_ws_mgr_handshake_address(
    ngx_ws_mgr_handshake_t *hs);
static void ngx_ws_mgr_handshake_consume(ngx_ws_mgr_handshake_t *hs);
static void ngx_ws_mgr_handshake_consumed(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_handshake_enter(ngx_ws_mgr_handshake_t *hs);
static void ngx_ws_mgr_handshake_entered(ngx_ws_mgr_engine_op_t *op);
static void ngx_ws_mgr_handshake_seated(ngx_event_t *ev);
static ngx_ws_mgr_refusal_e ngx_ws_mgr_handshake_seat(
    ngx_ws_mgr_handshake_t *hs);
static ngx_ws_mgr_refusal_e ngx_ws_mgr_handshake_ticket(
    ngx_ws_mgr_handshake_t *hs, ngx_ws_mgr_ticket_t *ticket);
static ngx_int_t ngx_ws_mgr_handshake_names(ngx_ws_mgr_handshake_t *hs);
static ngx_int_t ngx_ws_mgr_handshake_asked(ngx_ws_mgr_handshake_t *hs);
static ngx_uint_t ngx_ws_mgr_handshake_by_http(ngx_ws_mgr_handshake_t *hs);


ngx_int_t
ngx_ws_mgr_handshake_handler(ngx_http_request_t *r)
{
    ngx_ws_mgr_handshake_t  *hs;

    if (r != r->main) {
        return NGX_HTTP_BAD_REQUEST;
    }

    hs = ngx_ws_mgr_handshake_create(r);
    if (hs == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    hs->refusal = ngx_ws_mgr_handshake_check(hs);

    if (hs->refusal == NGX_WS_MGR_REFUSAL_NONE) {
        hs->refusal = ngx_ws_mgr_handshake_admit(hs);
    }

    if (ngx_ws_mgr_handshake_by_http(hs)) {
        ngx_ws_mgr_count_at(ngx_ws_mgr_refusals[hs->refusal].counter);
        hs->ctx->refusal = ngx_ws_mgr_refusals[hs->refusal].code;

        ngx_ws_mgr_seat_abandon(&hs->seat);

        return ngx_ws_mgr_refusal_send(r, hs->refusal, hs->detail);
    }

    /* all else is done from events */

    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;

    if (hs->refusal == NGX_WS_MGR_REFUSAL_NONE) {
        ngx_ws_mgr_handshake_consume(hs);

    } else {
        ngx_post_event(&hs->event, &ngx_posted_events);
    }

    return NGX_DONE;
}


/* fills every field that any way of ending a handshake reads */

static ngx_ws_mgr_handshake_t *
ngx_ws_mgr_handshake_create(ngx_http_request_t *r)
{
    ngx_ws_mgr_ctx_t        *ctx;
    ngx_http_cleanup_t      *cln;
    ngx_ws_mgr_main_conf_t  *mcf;
    ngx_ws_mgr_handshake_t  *hs;

    ctx = ngx_ws_mgr_claim_ctx(r);
    cln = ngx_http_cleanup_add(r, sizeof(ngx_ws_mgr_handshake_t));

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    hs = cln->data;
    ngx_memzero(hs, sizeof(ngx_ws_mgr_handshake_t));

    cln->handler = ngx_ws_mgr_handshake_cleanup;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    hs->request = r;
    hs->ctx = ctx;
    hs->conf = ngx_http_get_module_loc_conf(r, ngx_http_ws_mgr_module);
    hs->store = mcf->store;
    hs->event.data = r->connection;
    hs->event.log = r->connection->log;
    hs->event.handler = ngx_ws_mgr_handshake_seated;

    hs->op.id = ctx->ticket;
    hs->op.pool = r->pool;
    hs->op.log = r->connection->log;
    hs->op.done = ngx_ws_mgr_handshake_consumed;
    hs->op.data = hs;

    hs->entering.pool = r->pool;
    hs->entering.done = ngx_ws_mgr_handshake_entered;
    hs->entering.data = hs;

    hs->conf->main_ctx = r->main_conf;
    hs->conf->srv_ctx = r->srv_conf;
    hs->conf->loc_ctx = r->loc_conf;

    ctx->handshake = hs;

    return hs;
}


/* on every way out, the good one included, where there is nothing left */

static void
ngx_ws_mgr_handshake_cleanup(void *data)
{
    ngx_ws_mgr_handshake_t *hs = data;

    if (hs->asking) {
        hs->asking = 0;
        hs->store->cancel(&hs->op);
    }

    if (hs->event.posted) {
        ngx_delete_posted_event(&hs->event);
    }

    if (hs->event.timer_set) {
        ngx_del_timer(&hs->event);
    }

    ngx_ws_mgr_engine_cancel(&hs->entering);

    ngx_ws_mgr_seat_abandon(&hs->seat);
}


/* what can be told from the request alone */

static ngx_ws_mgr_refusal_e
ngx_ws_mgr_handshake_check(ngx_ws_mgr_handshake_t *hs)
{
    ngx_ws_mgr_refusal_e  refusal;

    refusal = ngx_ws_mgr_upgrade_check(hs->request, &hs->detail);

    if (refusal != NGX_WS_MGR_REFUSAL_NONE) {
        return refusal;
    }

    if (hs->conf->session.deflate
        && ngx_ws_mgr_upgrade_extensions(hs->request, &hs->extension)
           != NGX_OK)
    {
        hs->detail = "Sec-WebSocket-Extensions is malformed";
        return NGX_WS_MGR_REFUSAL_BAD_REQUEST;
    }

    if (hs->ctx->several) {
        hs->detail = "the request carries several tickets";
        return NGX_WS_MGR_REFUSAL_BAD_REQUEST;
    }

    if (!ngx_ws_mgr_handshake_origin(hs)) {
        return NGX_WS_MGR_REFUSAL_ORIGIN;
    }

    return NGX_WS_MGR_REFUSAL_NONE;
}


static ngx_uint_t
ngx_ws_mgr_handshake_origin(ngx_ws_mgr_handshake_t *hs)
{
    ngx_uint_t        several;
    ngx_table_elt_t  *h, *host;

    h = ngx_ws_mgr_header_only(hs->request, "origin", &several);

    if (h == NULL) {
        return 1;
    }

    if (several) {
        return 0;
    }

    host = hs->request->headers_in.host;

    return hs->conf->any_origin
           || ngx_ws_mgr_origin_allowed(hs->conf->origins, &h->value,
                                        host ? &host->value : NULL);
}


/* limits, then draining, then whether there is a ticket at all */

static ngx_ws_mgr_refusal_e
ngx_ws_mgr_handshake_admit(ngx_ws_mgr_handshake_t *hs)
{
    ngx_ws_mgr_refusal_e  refusal;

    if (ngx_ws_mgr_worker_slot_need() != NGX_OK) {
        return ngx_exiting ? NGX_WS_MGR_REFUSAL_DRAINING
                           : NGX_WS_MGR_REFUSAL_NO_SLOT;
    }

    if (ngx_ws_mgr_node_admit(hs->conf->limit_total) != NGX_OK) {
        return NGX_WS_MGR_REFUSAL_LIMIT_TOTAL;
    }

    hs->seat.admitted = 1;

    refusal = ngx_ws_mgr_handshake_address(hs);

    if (refusal != NGX_WS_MGR_REFUSAL_NONE) {
        return refusal;
    }

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return NGX_WS_MGR_REFUSAL_DRAINING;
    }

    if (hs->ctx->ticket.data == NULL) {
        return NGX_WS_MGR_REFUSAL_TICKET_MISSING;
    }

    if (hs->ctx->deprecated) {
        ngx_ws_mgr_count(DEPRECATED_TICKET_ARG);
    }

    if (ngx_ws_mgr_ticket_check_id(&hs->ctx->ticket) != NGX_OK) {
        return NGX_WS_MGR_REFUSAL_TICKET_INVALID;
    }

    return NGX_WS_MGR_REFUSAL_NONE;
}


static ngx_ws_mgr_refusal_e
ngx_ws_mgr_handshake_address(ngx_ws_mgr_handshake_t *hs)
{
    if (hs->conf->limit_address == 0) {
        return NGX_WS_MGR_REFUSAL_NONE;
    }

    switch (ngx_ws_mgr_seat_address(&hs->seat,
                                    hs->request->connection->sockaddr,
                                    hs->conf->limit_address))
    {

    case NGX_OK:
        return NGX_WS_MGR_REFUSAL_NONE;

    case NGX_DECLINED:
        return NGX_WS_MGR_REFUSAL_LIMIT_ADDRESS;

    default:
        return NGX_WS_MGR_REFUSAL_MEMORY;
    }
}


static void
ngx_ws_mgr_handshake_consume(ngx_ws_mgr_handshake_t *hs)
{
    hs->asking = 1;
    hs->asked_at = ngx_ws_mgr_histogram_clock();

    hs->store->consume(&hs->op);
}


static void
ngx_ws_mgr_handshake_consumed(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_handshake_t *hs = op->data;

    hs->asking = 0;

    ngx_ws_mgr_histogram_note(NGX_WS_MGR_HISTOGRAM_TICKET_CHECK,
                              ngx_ws_mgr_histogram_clock() - hs->asked_at);

    ngx_post_event(&hs->event, &ngx_posted_events);
}


static void
ngx_ws_mgr_handshake_seated(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_request_t      *r;
    ngx_ws_mgr_ctx_t        *ctx;
    ngx_ws_mgr_handshake_t  *hs;

    r = c->data;
    r = r->main;
    ngx_http_set_log_request(c->log, r);

    ctx = ngx_ws_mgr_claim_ctx(r);
    hs = ctx->handshake;

    if (hs->refusal == NGX_WS_MGR_REFUSAL_NONE && !hs->seated) {
        hs->refusal = ngx_ws_mgr_handshake_seat(hs);
        hs->seated = 1;

        if (hs->seat.place.hold && ngx_ws_mgr_engine) {
            ngx_ws_mgr_handshake_enter(hs);

            if (hs->entering.pending) {
                return;
            }
        }
    }

    if (hs->refusal != NGX_WS_MGR_REFUSAL_NONE) {
        ngx_ws_mgr_count_at(ngx_ws_mgr_refusals[hs->refusal].counter);
        ctx->refusal = ngx_ws_mgr_refusals[hs->refusal].code;

        ngx_ws_mgr_seat_abandon(&hs->seat);
    }

    if (ngx_ws_mgr_handshake_by_http(hs)) {
        ngx_ws_mgr_handshake_end(r, ngx_ws_mgr_refusal_send(r, hs->refusal,
                                                            hs->detail));
        return;
    }

    ngx_ws_mgr_handshake_answer(hs);
}


/* the log is to be there, as far back as it is asked for.  Where it cannot be
   had in time, what there is of it serves */

static void
ngx_ws_mgr_handshake_enter(ngx_ws_mgr_handshake_t *hs)
{
    ngx_ws_mgr_seat_t  *seat;

    seat = &hs->seat;

    ngx_ws_mgr_engine->enter(&hs->entering, &hs->ctx->user,
                             seat->asked.len && seat->from.epoch
                             ? &seat->from : NULL);
}


static void
ngx_ws_mgr_handshake_entered(ngx_ws_mgr_engine_op_t *op)
{
    ngx_ws_mgr_handshake_t *hs = op->data;

    ngx_post_event(&hs->event, &ngx_posted_events);
}


/* what only the ticket can tell, and costs it */

static ngx_ws_mgr_refusal_e
ngx_ws_mgr_handshake_seat(ngx_ws_mgr_handshake_t *hs)
{
    ngx_int_t              rc;
    ngx_ws_mgr_ticket_t    ticket;
    ngx_ws_mgr_refusal_e   refusal;

    refusal = ngx_ws_mgr_handshake_ticket(hs, &ticket);

    if (refusal != NGX_WS_MGR_REFUSAL_NONE) {
        return refusal;
    }

    hs->ctx->user = ticket.user;
    hs->permissions = ticket.permissions;

    if (hs->conf->permission.len
        && !ngx_ws_mgr_ticket_permits(&ticket.permissions,
                                      &hs->conf->permission))
    {
        return NGX_WS_MGR_REFUSAL_FORBIDDEN;
    }

    rc = ngx_ws_mgr_registry_connect(&ticket.user, hs->conf->limit_user,
                                     hs->conf->over
                                     == NGX_WS_MGR_OVER_OLDEST,
                                     &hs->seat.place);

    if (rc == NGX_DECLINED) {
        return NGX_WS_MGR_REFUSAL_LIMIT_USER;
    }

    if (rc != NGX_OK
        || ngx_ws_mgr_handshake_names(hs) != NGX_OK
        || ngx_ws_mgr_handshake_asked(hs) != NGX_OK)
    {
        return NGX_WS_MGR_REFUSAL_MEMORY;
    }

    return NGX_WS_MGR_REFUSAL_NONE;
}


static ngx_ws_mgr_refusal_e
ngx_ws_mgr_handshake_ticket(ngx_ws_mgr_handshake_t *hs,
    ngx_ws_mgr_ticket_t *ticket)
{
    ngx_int_t    rc;
    const char  *error;

    switch (hs->op.result) {

    case NGX_WS_MGR_TICKET_OK:
        break;

    case NGX_WS_MGR_TICKET_UNKNOWN:
        return NGX_WS_MGR_REFUSAL_TICKET_INVALID;

    case NGX_WS_MGR_TICKET_EXPIRED:
        return NGX_WS_MGR_REFUSAL_TICKET_EXPIRED;

    case NGX_WS_MGR_TICKET_USED:
        return NGX_WS_MGR_REFUSAL_TICKET_USED;

    case NGX_WS_MGR_TICKET_NO_MEMORY:
        return NGX_WS_MGR_REFUSAL_MEMORY;

    default:
        return NGX_WS_MGR_REFUSAL_STORE;
    }

    rc = ngx_ws_mgr_ticket_parse(&hs->op.record, hs->op.pool, ticket, &error);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, hs->op.log, 0,
                      "ws_mgr ticket record is invalid: %s", error);
        return NGX_WS_MGR_REFUSAL_TICKET_INVALID;
    }

    if (rc != NGX_OK) {
        return NGX_WS_MGR_REFUSAL_MEMORY;
    }

    if (ticket->expires_at * 1000 <= (double) ngx_ws_mgr_now()) {
        return NGX_WS_MGR_REFUSAL_TICKET_EXPIRED;
    }

    return NGX_WS_MGR_REFUSAL_NONE;
}


/* for the variable */

static ngx_int_t
ngx_ws_mgr_handshake_names(ngx_ws_mgr_handshake_t *hs)
{
    u_char    *p;
    uint64_t   number;

    p = ngx_pnalloc(hs->request->pool, NGX_WS_MGR_CONN_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    number = ngx_ws_mgr_registry_number(&hs->seat.place);

    hs->ctx->connection.data = p;
    hs->ctx->connection.len =
                    ngx_ws_mgr_registry_conn_id(p, number) - p;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_handshake_asked(ngx_ws_mgr_handshake_t *hs)
{
    u_char     *src, *dst, *pos;
    ngx_str_t   value, text;

    if (ngx_http_arg(hs->request, (u_char *) "last_event_id",
                     sizeof("last_event_id") - 1, &value)
        != NGX_OK || value.len == 0)
    {
        return NGX_OK;
    }

    dst = ngx_pnalloc(hs->request->pool, value.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    src = value.data;
    hs->seat.asked.data = dst;
    ngx_unescape_uri(&dst, &src, value.len, 0);
    hs->seat.asked.len = dst - hs->seat.asked.data;

    pos = hs->seat.asked.data;

    while (ngx_ws_mgr_header_token(&pos, dst, &text) == NGX_OK) {
        ngx_ws_mgr_seat_ask(&hs->seat, &text);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_mgr_handshake_by_http(ngx_ws_mgr_handshake_t *hs)
{
    return hs->refusal != NGX_WS_MGR_REFUSAL_NONE
           && (hs->conf->refuse == NGX_WS_MGR_REFUSE_HTTP
               || ngx_ws_mgr_refusals[hs->refusal].close == 0);
}
