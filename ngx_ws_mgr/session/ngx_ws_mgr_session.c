
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


static ngx_uint_t ngx_ws_mgr_session_code_row(ngx_uint_t code);
static void ngx_ws_mgr_session_leave(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_count(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_side_e side, ngx_uint_t code);
#if (NGX_HTTP_SSL)
static void ngx_ws_mgr_session_close_notify(ngx_ws_mgr_session_t *s);
#endif


const char  *ngx_ws_mgr_session_sides[] = { "server", "client", "lost" };


void
ngx_ws_mgr_session_deflate(ngx_ws_mgr_session_t *s, ngx_uint_t window)
{
    s->window = window & 0xf;
    s->frame.deflate = (window != 0);
}


void
ngx_ws_mgr_session_start(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    (void) ngx_ws_mgr_session_log(s, "starting websocket");

    c->idle = 1;

    /* the upgrade's answer and what was sent since, in one packet */

    if (c->tcp_nopush == NGX_TCP_NOPUSH_SET) {

        if (ngx_tcp_push(c->fd) == -1) {
            (void) ngx_connection_error(c, ngx_socket_errno,
                                        ngx_tcp_push_n " failed");
        }

        c->tcp_nopush = NGX_TCP_NOPUSH_UNSET;
    }

    ngx_ws_mgr_session_begin(s);

    if (s->early) {
        ngx_ws_mgr_session_read_early(s);
    }

    if (s->dead) {
        return;
    }

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_next_events);
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_ws_mgr_session_die(s);
    }
}


void
ngx_ws_mgr_session_close(ngx_ws_mgr_session_t *s, ngx_uint_t code,
    const char *reason)
{
    ngx_ws_mgr_session_goodbye(s, NGX_WS_MGR_SIDE_SERVER, code, reason);
}


ngx_ws_mgr_session_t *
ngx_ws_mgr_session_each(ngx_uint_t *i)
{
    ngx_connection_t  *c;

    while (*i < ngx_cycle->connection_n) {
        c = &ngx_cycle->connections[(*i)++];

        if (c->fd != (ngx_socket_t) -1
            && c->read->handler == ngx_ws_mgr_session_read_handler)
        {
            return c->data;
        }
    }

    return NULL;
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


void
ngx_ws_mgr_session_die(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t  *c;

    if (s->dead) {
        return;
    }

    c = s->connection;

    ngx_ws_mgr_session_count(s, NGX_WS_MGR_SIDE_LOST,
                             NGX_WS_MGR_CLOSE_ABNORMAL);

    s->dead = 1;
    c->error = 1;

    ngx_post_event(c->write, &ngx_posted_events);

    /* a worker that exits does not wait for posted events */

    ngx_ws_mgr_session_schedule(s);
}


void
ngx_ws_mgr_session_starve(ngx_ws_mgr_session_t *s)
{
    if (s->dead) {
        return;
    }

    ngx_ws_mgr_count(CLOSED_MEMORY);

    ngx_ws_mgr_session_count(s, NGX_WS_MGR_SIDE_SERVER,
                             NGX_WS_MGR_CLOSE_INTERNAL);
    ngx_ws_mgr_session_die(s);
}


void
ngx_ws_mgr_session_end(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    s->dead = 1;
    c->idle = 0;

    (void) ngx_ws_mgr_session_log(s, "closing websocket");

    ngx_ws_mgr_session_leave(s);

    s->handlers->end(s);

    ngx_ws_mgr_session_forget(s);

    if (s->out) {
        ngx_free(s->out);
    }

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
    }
#endif

    ngx_ws_mgr_session_give(s);
}


static void
ngx_ws_mgr_session_leave(ngx_ws_mgr_session_t *s)
{
    if (!s->left) {
        s->left = 1;
        s->handlers->leave(s);
    }
}


/* who ended it is decided once, whatever follows */

static void
ngx_ws_mgr_session_count(ngx_ws_mgr_session_t *s, ngx_ws_mgr_side_e side,
    ngx_uint_t code)
{
    if (s->close_code) {
        return;
    }

    s->close_code = (uint16_t) code;
    s->side = side;

    switch (side) {

    case NGX_WS_MGR_SIDE_SERVER:
        ngx_ws_mgr_count(CLOSED_SERVER);
        ngx_ws_mgr_count_at(NGX_WS_MGR_CODE_SERVER_1000
                            + ngx_ws_mgr_session_code_row(code));
        break;

    case NGX_WS_MGR_SIDE_CLIENT:
        ngx_ws_mgr_count(CLOSED_CLIENT);
        ngx_ws_mgr_count_at(NGX_WS_MGR_CODE_CLIENT_1000
                            + ngx_ws_mgr_session_code_row(code));
        break;

    default:
        ngx_ws_mgr_count(CLOSED_LOST);
    }
}


/* its place among the counters, which are in this order */

static ngx_uint_t
ngx_ws_mgr_session_code_row(ngx_uint_t code)
{
    ngx_uint_t  i;

    static const uint16_t  codes[] = {
        1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1012,
        1013, 4001, 4002, 4003, 4005, 4501, 4502, 4508
    };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code) {
            break;
        }
    }

    return i;
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
    ngx_connection_t  *c;

    c = s->connection;

    c->ssl->no_wait_shutdown = 1;
    c->ssl->shutdown_without_free = 1;

    if (ngx_ssl_shutdown(c) == NGX_AGAIN) {

        /* the socket takes no alert now: then there is none */

        c->read->handler = ngx_ws_mgr_session_read_handler;
        c->write->handler = ngx_ws_mgr_session_write_handler;

        c->ssl->shutdown_without_free = 0;
        c->ssl->no_send_shutdown = 1;
        c->recv = ngx_recv;
    }
}

#endif
