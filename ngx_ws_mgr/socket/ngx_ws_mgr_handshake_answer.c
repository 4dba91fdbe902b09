
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_request_ticket.h>
#include <ngx_ws_mgr_client_handlers.h>
#include <ngx_ws_mgr_forward.h>
#include <ngx_ws_mgr_handshake_answer.h>
#include <ngx_ws_mgr_notify.h>


#define NGX_WS_MGR_HANDSHAKE_ASKED   128   /* bytes told of a position */
#define NGX_WS_MGR_HANDSHAKE_AGAIN   10    /* ms until a subrequest ended */


static void ngx_ws_mgr_handshake_write(ngx_http_request_t *r);
static void ngx_ws_mgr_handshake_sent(ngx_event_t *ev);
static void ngx_ws_mgr_handshake_finish(ngx_ws_mgr_handshake_t *hs);
static void ngx_ws_mgr_handshake_take(ngx_ws_mgr_handshake_t *hs);
static ngx_ws_mgr_client_t *ngx_ws_mgr_handshake_client(
    ngx_ws_mgr_handshake_t *hs);


static ngx_str_t  ngx_ws_mgr_handshake_protocol = ngx_string("ws-mgr.v1");


void
ngx_ws_mgr_handshake_answer(ngx_ws_mgr_handshake_t *hs)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = hs->request;

    rc = ngx_ws_mgr_upgrade_send(r, hs->ctx->subprotocol
                                    ? &ngx_ws_mgr_handshake_protocol : NULL,
                                 &hs->extension);
    if (rc != NGX_OK) {
        ngx_ws_mgr_handshake_end(r, NGX_ERROR);
        return;
    }

    r->write_event_handler = ngx_ws_mgr_handshake_write;
    hs->event.handler = ngx_ws_mgr_handshake_sent;

    ngx_ws_mgr_handshake_finish(hs);
}


/* the rest of a 101 that the socket did not take whole */

static void
ngx_ws_mgr_handshake_write(ngx_http_request_t *r)
{
    ngx_event_t       *wev;
    ngx_ws_mgr_ctx_t  *ctx;
    ngx_connection_t  *c;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    /* the connection may not be taken over under ngx_http_request_handler() */

    ctx = ngx_ws_mgr_claim_ctx(r);
    ngx_post_event(&((ngx_ws_mgr_handshake_t *) ctx->handshake)->event,
                   &ngx_posted_events);
}


static void
ngx_ws_mgr_handshake_sent(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_request_t  *r;
    ngx_ws_mgr_ctx_t    *ctx;

    ev->timedout = 0;

    r = c->data;
    ctx = ngx_ws_mgr_claim_ctx(r->main);

    ngx_ws_mgr_handshake_finish(ctx->handshake);
}


static void
ngx_ws_mgr_handshake_finish(ngx_ws_mgr_handshake_t *hs)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = hs->request;
    c = r->connection;

    if (c->error) {
        ngx_ws_mgr_handshake_end(r, NGX_ERROR);
        return;
    }

    if (c->buffered || r->out) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        ngx_add_timer(c->write, clcf->send_timeout);

        if (ngx_handle_write_event(c->write, clcf->send_lowat) != NGX_OK) {
            ngx_ws_mgr_handshake_end(r, NGX_ERROR);
        }

        return;
    }

    /* a background subrequest, such as of "mirror", still uses the request */

    if (r->count != 1 || r->blocked) {
        ngx_add_timer(&hs->event, NGX_WS_MGR_HANDSHAKE_AGAIN);
        return;
    }

    ngx_ws_mgr_handshake_take(hs);
}


/* from here on there is a session, and no request */

static void
ngx_ws_mgr_handshake_take(ngx_ws_mgr_handshake_t *hs)
{
    u_char                       asked[NGX_WS_MGR_HANDSHAKE_ASKED];
    ngx_ws_mgr_seat_t            seat;
    ngx_uint_t                   window;
    ngx_http_request_t          *r;
    ngx_ws_mgr_client_t         *client;
    ngx_ws_mgr_loc_conf_t       *conf;
    const ngx_ws_mgr_refusal_t  *refusal;

    r = hs->request;
    conf = hs->conf;
    window = hs->extension.window;
    refusal = &ngx_ws_mgr_refusals[hs->refusal];

    /* hs goes with the request, and its cleanup must find no seat */

    seat = hs->seat;
    ngx_memzero(&hs->seat, sizeof(ngx_ws_mgr_seat_t));

    if (seat.asked.len) {
        seat.asked.len = ngx_min(seat.asked.len, sizeof(asked));
        ngx_memcpy(asked, seat.asked.data, seat.asked.len);
        seat.asked.data = asked;
    }

    client = ngx_ws_mgr_handshake_client(hs);

    if (client == NULL) {
        ngx_ws_mgr_seat_abandon(&seat);
        ngx_ws_mgr_handshake_end(r, NGX_ERROR);
        return;
    }

    ngx_ws_mgr_session_deflate(&client->session, window);

    if (refusal->close) {
        ngx_ws_mgr_session_close(&client->session, refusal->close,
                                 refusal->reason);

    } else {
        ngx_ws_mgr_count(UPGRADES);
        seat.place.echo = (conf->forward == NGX_WS_MGR_FORWARD_ECHO);
        /* first, since its seat may end it */
        ngx_ws_mgr_notify_connect(&client->session, &seat.place);
        ngx_ws_mgr_seat_take(client, &seat);
    }

    (void) ngx_ws_mgr_session_start(&client->session);
}


/* frees the request, and hs with it, unless it returns NULL */

static ngx_ws_mgr_client_t *
ngx_ws_mgr_handshake_client(ngx_ws_mgr_handshake_t *hs)
{
    size_t                  size;
    ngx_str_t               permissions;
    ngx_ws_mgr_client_t    *client;
    ngx_ws_mgr_loc_conf_t  *conf;

    conf = hs->conf;
    size = ngx_ws_mgr_fanout_client_size();

    /* a refused client never is in the registry, so nothing is forwarded */

    if (hs->refusal != NGX_WS_MGR_REFUSAL_NONE
        || conf->forward != NGX_WS_MGR_FORWARD_URI)
    {
        return ngx_ws_mgr_session_take(hs->request, size,
                                       &ngx_ws_mgr_client_handlers,
                                       &conf->session);
    }

    /* the ticket goes with the request */

    permissions.len = hs->permissions.len;
    permissions.data = ngx_alloc(ngx_max(permissions.len, 1),
                                 hs->request->connection->log);

    if (permissions.data == NULL) {
        return NULL;
    }

    ngx_memcpy(permissions.data, hs->permissions.data, permissions.len);

    client = ngx_ws_mgr_session_take(hs->request,
                                size + ngx_ws_mgr_forward_size(&permissions),
                                &ngx_ws_mgr_client_handlers, &conf->session);
    if (client) {
        ngx_ws_mgr_forward_init(client, &permissions);
    }

    ngx_free(permissions.data);

    return client;
}


void
ngx_ws_mgr_handshake_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = r->connection;

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}
