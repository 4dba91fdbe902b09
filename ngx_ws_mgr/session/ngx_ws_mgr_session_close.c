
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The close handshake (RFC 6455, section 7): a close frame, the wait for the
 * peer's, a half close, and the wait for EOF.  abort() resets instead.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


#if (NGX_HTTP_SSL)
static void ngx_ws_mgr_session_close_notify(ngx_ws_mgr_session_t *s);
#endif


const char  *ngx_ws_mgr_session_sides[] = { "server", "client", "lost" };


void
ngx_ws_mgr_session_close(ngx_ws_mgr_session_t *s, ngx_uint_t code,
    const char *reason)
{
    ngx_ws_mgr_session_goodbye(s, NGX_WS_MGR_SIDE_SERVER, code, reason);
}


void
ngx_ws_mgr_session_abort(ngx_ws_mgr_session_t *s, ngx_uint_t code)
{
    struct linger      linger;
    ngx_connection_t  *c;

    if (s->dead) {
        return;
    }

    c = s->connection;

    (void) ngx_ws_mgr_session_log(s, "aborting websocket");

    ngx_ws_mgr_session_count(s, NGX_WS_MGR_SIDE_SERVER, code);

    linger.l_onoff = 1;
    linger.l_linger = 0;

    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, (const void *) &linger,
                   sizeof(struct linger))
        == -1)
    {
        (void) ngx_connection_error(c, ngx_socket_errno,
                                    "setsockopt(SO_LINGER) failed");
    }

    ngx_ws_mgr_session_die(s);
    ngx_ws_mgr_session_leave(s);
}


void
ngx_ws_mgr_session_goodbye(ngx_ws_mgr_session_t *s, ngx_ws_mgr_side_e side,
    ngx_uint_t code, const char *reason)
{
    u_char  *last;
    u_char   frame[2 + NGX_WS_MGR_FRAME_CONTROL];

    if (s->closing || s->dead) {
        return;
    }

    ngx_ws_mgr_session_count(s, side, code);

    s->closing = 1;

    last = ngx_ws_mgr_frame_close(frame, code, reason);

    s->frames_out++;

    ngx_ws_mgr_session_write(s, frame, last - frame);

    if (s->paused) {
        s->paused = 0;
        ngx_post_event(s->connection->read, &ngx_posted_next_events);
    }

    s->bye = ngx_ws_mgr_session_now() + NGX_WS_MGR_SESSION_WAIT;

    if (!s->dead) {
        ngx_ws_mgr_session_schedule(s);
    }

    ngx_ws_mgr_session_leave(s);
}


void
ngx_ws_mgr_session_settle(ngx_ws_mgr_session_t *s)
{
    if (s->closing && s->closed && s->out == NULL && !s->lingering
        && !s->dead)
    {
        ngx_ws_mgr_session_linger(s);
    }
}


/*
 * RFC 6455 section 7.1.1: the server closes first.  Unread bytes would make
 * that a reset, which may overtake the close frame.
 */

void
ngx_ws_mgr_session_linger(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    (void) ngx_ws_mgr_session_log(s, "lingering of websocket");

    s->lingering = 1;

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        ngx_ws_mgr_session_close_notify(s);
    }
#endif

    if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        (void) ngx_connection_error(c, ngx_socket_errno,
                                    ngx_shutdown_socket_n " failed");
        ngx_ws_mgr_session_die(s);
        return;
    }

    s->bye = ngx_ws_mgr_session_now() + NGX_WS_MGR_SESSION_LINGER;

    ngx_ws_mgr_session_schedule(s);

    ngx_post_event(c->read, &ngx_posted_next_events);
}


#if (NGX_HTTP_SSL)

/* what comes afterwards is thrown away as it is: nothing is decrypted */

static void
ngx_ws_mgr_session_close_notify(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t      *c;
    ngx_event_handler_pt   read, write;

    c = s->connection;
    read = c->read->handler;
    write = c->write->handler;

    c->ssl->no_wait_shutdown = 1;
    c->ssl->shutdown_without_free = 1;

    if (ngx_ssl_shutdown(c) == NGX_AGAIN) {

        /* the socket takes no alert now: then there is none */

        c->read->handler = read;
        c->write->handler = write;

        c->ssl->shutdown_without_free = 0;
        c->ssl->no_send_shutdown = 1;
        c->recv = ngx_recv;
    }
}

#endif


void
ngx_ws_mgr_session_fault(ngx_ws_mgr_session_t *s, ngx_uint_t code,
    const char *reason)
{
    /* where frames begin is not known any more */

    s->closed = 1;

    if (s->closing) {
        return;
    }

    if (code == NGX_WS_MGR_CLOSE_TOO_BIG) {
        ngx_ws_mgr_count(CLOSED_TOO_BIG);

    } else {
        ngx_ws_mgr_count(CLOSED_PROTOCOL);
    }

    if (reason == NULL) {
        reason = (code == NGX_WS_MGR_CLOSE_TOO_BIG) ? "message too big"
                 : (code == NGX_WS_MGR_CLOSE_INVALID) ? "invalid UTF-8"
                 : "protocol error";
    }

    ngx_log_error(NGX_LOG_INFO,
                  ngx_ws_mgr_session_log(s, "reading from websocket"), 0,
                  "ws_mgr closes with %ui: %s", code, reason);

    ngx_ws_mgr_session_goodbye(s, NGX_WS_MGR_SIDE_SERVER, code, reason);
}
