
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


#define NGX_WS_MGR_SESSION_RECONNECT  1000 /* ms: added to a drain's spread */


static void ngx_ws_mgr_session_leave(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_count(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_side_e side, ngx_uint_t code);
static void ngx_ws_mgr_session_linger(ngx_ws_mgr_session_t *s);
#if (NGX_HTTP_SSL)
static void ngx_ws_mgr_session_close_notify(ngx_ws_mgr_session_t *s);
#endif
static uint32_t ngx_ws_mgr_session_farewell(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_depart(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_expire(ngx_ws_mgr_session_t *s);
static ngx_uint_t ngx_ws_mgr_session_tick_ping(ngx_ws_mgr_session_t *s);
static ngx_msec_t ngx_ws_mgr_session_left(uint32_t since, ngx_msec_t interval);
static ngx_msec_t ngx_ws_mgr_session_next(ngx_ws_mgr_session_t *s);


void
ngx_ws_mgr_session_start(ngx_ws_mgr_session_t *s)
{
    uint32_t           now;
    ngx_connection_t  *c;

    c = s->connection;
    now = ngx_ws_mgr_session_now();

    s->started = ngx_current_msec;
    s->heard = now;
    s->beat = now;
    s->filled = now;
    s->tokens = NGX_MAX_UINT32_VALUE;

    /* the first ping is at any time of the interval, so that those who came
       together are not pinged together */

    if (s->conf->ping_interval) {
        s->heard -= (uint32_t) (ngx_random() % s->conf->ping_interval);
    }

    c->idle = 1;

    if (ngx_exiting) {
        s->draining = 1;
        s->bye = ngx_ws_mgr_session_farewell(s);
    }

    ngx_ws_mgr_session_schedule(s);

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


void
ngx_ws_mgr_session_abort(ngx_ws_mgr_session_t *s, ngx_uint_t code)
{
    struct linger      linger;
    ngx_connection_t  *c;

    if (s->dead) {
        return;
    }

    c = s->connection;

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
    c->log->action = "closing websocket";

    ngx_ws_mgr_session_leave(s);

    s->handlers->end(s);

    if (s->in) {
        ngx_free(s->in);
    }

    if (s->out) {
        ngx_free(s->out);
    }

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
    }
#endif

    ngx_http_close_connection(c);
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
        break;

    case NGX_WS_MGR_SIDE_CLIENT:
        ngx_ws_mgr_count(CLOSED_CLIENT);
        break;

    default:
        ngx_ws_mgr_count(CLOSED_LOST);
    }
}


/*
 * RFC 6455 section 7.1.1: the server closes first.  Unread bytes would make
 * that a reset, which may overtake the close frame.
 */

static void
ngx_ws_mgr_session_linger(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    c->log->action = "lingering of websocket";

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


void
ngx_ws_mgr_session_drain(ngx_ws_mgr_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    if (c->error || s->draining || ngx_terminate) {
        ngx_ws_mgr_session_abort(s, NGX_WS_MGR_CLOSE_RESTART);
        return;
    }

    s->draining = 1;

    if (s->closing) {
        return;
    }

    if (s->conf->drain == 0) {
        ngx_ws_mgr_session_depart(s);
        return;
    }

    s->bye = ngx_ws_mgr_session_farewell(s);

    ngx_ws_mgr_session_schedule(s);
}


/* when it is this socket's turn */

static uint32_t
ngx_ws_mgr_session_farewell(ngx_ws_mgr_session_t *s)
{
    uint32_t  now;

    now = ngx_ws_mgr_session_now();

    return s->conf->drain ? now + (uint32_t) (ngx_random() % s->conf->drain)
                          : now;
}


static void
ngx_ws_mgr_session_depart(ngx_ws_mgr_session_t *s)
{
    ngx_msec_t  reconnect;

    reconnect = s->conf->drain + NGX_WS_MGR_SESSION_RECONNECT;
    reconnect = NGX_WS_MGR_SESSION_RECONNECT / 2 + ngx_random() % reconnect;

    s->handlers->drain(s, reconnect);

    if (!s->closing && !s->dead) {
        ngx_ws_mgr_count(CLOSED_DRAIN);
        ngx_ws_mgr_session_close(s, NGX_WS_MGR_CLOSE_RESTART,
                                 "Service restart");
    }
}


void
ngx_ws_mgr_session_tick(ngx_ws_mgr_session_t *s)
{
    if ((s->closing || s->draining)
        && (int32_t) (s->bye - ngx_ws_mgr_session_now()) <= 0)
    {
        ngx_ws_mgr_session_expire(s);
        return;
    }

    if (s->closing) {
        ngx_ws_mgr_session_schedule(s);
        return;
    }

    if (s->conf->age && ngx_current_msec - s->started >= s->conf->age) {
        ngx_ws_mgr_count(CLOSED_AGE);
        ngx_ws_mgr_session_close(s, NGX_WS_MGR_CLOSE_AGE, "session too old");
        return;
    }

    if (s->conf->ping_interval && ngx_ws_mgr_session_tick_ping(s)) {
        return;
    }

    if (s->conf->heartbeat
        && ngx_ws_mgr_session_left(s->beat, s->conf->heartbeat) == 0)
    {
        s->beat = ngx_ws_mgr_session_now();

        if (s->out == NULL) {
            s->handlers->heartbeat(s);
        }
    }

    if (!s->dead) {
        ngx_ws_mgr_session_schedule(s);
    }
}


/* the goodbye's time, or that of waiting for an answer, is over */

static void
ngx_ws_mgr_session_expire(ngx_ws_mgr_session_t *s)
{
    if (!s->closing) {
        ngx_ws_mgr_session_depart(s);
        return;
    }

    if (s->lingering || s->out) {
        ngx_ws_mgr_session_end(s);
        return;
    }

    ngx_ws_mgr_session_linger(s);
}


/* 1: the peer is gone, the session closes */

static ngx_uint_t
ngx_ws_mgr_session_tick_ping(ngx_ws_mgr_session_t *s)
{
    if (s->pinging && s->conf->ping_timeout) {

        if (ngx_ws_mgr_session_left(s->heard, s->conf->ping_timeout)) {
            return 0;
        }

        ngx_ws_mgr_count(CLOSED_NO_PONG);
        ngx_ws_mgr_session_close(s, NGX_WS_MGR_CLOSE_NO_PONG, "no pong");

        return 1;
    }

    if (ngx_ws_mgr_session_left(s->heard, s->conf->ping_interval)) {
        return 0;
    }

    s->heard = ngx_ws_mgr_session_now();

    if (s->pinging && s->out) {
        return 0;
    }

    s->pinging = 1;

    ngx_ws_mgr_count(PINGS);
    ngx_ws_mgr_session_send(s, NGX_WS_MGR_OP_PING, NULL, 0);

    return 0;
}


/* milliseconds until the interval is over */

static ngx_msec_t
ngx_ws_mgr_session_left(uint32_t since, ngx_msec_t interval)
{
    uint32_t  passed;

    passed = ngx_ws_mgr_session_now() - since;

    return (passed < interval) ? interval - passed : 0;
}


/*
 * A worker that exits waits for timers that cannot be cancelled: for goodbyes,
 * not for pings.
 */

void
ngx_ws_mgr_session_schedule(ngx_ws_mgr_session_t *s)
{
    ngx_msec_t    next;
    ngx_event_t  *rev;

    rev = s->connection->read;
    next = ngx_ws_mgr_session_next(s);

    /* nginx keeps a timer that is nearly the same */

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    rev->cancelable = !(s->closing || s->draining || s->dead);

    if (next != NGX_TIMER_INFINITE) {
        ngx_add_timer(rev, next);
    }
}


static ngx_msec_t
ngx_ws_mgr_session_next(ngx_ws_mgr_session_t *s)
{
    int32_t     bye;
    ngx_msec_t  next, t;

    if (s->dead) {
        return 1;
    }

    next = NGX_TIMER_INFINITE;

    if (s->closing || s->draining) {
        bye = (int32_t) (s->bye - ngx_ws_mgr_session_now());
        next = (bye > 0) ? (ngx_msec_t) bye : 1;
    }

    if (s->closing) {
        return next;
    }

    if (s->conf->age) {
        t = ngx_current_msec - s->started;
        t = (t < s->conf->age) ? s->conf->age - t : 1;
        next = ngx_min(next, t);
    }

    if (s->conf->ping_interval) {
        t = (s->pinging && s->conf->ping_timeout) ? s->conf->ping_timeout
                                                  : s->conf->ping_interval;
        t = ngx_ws_mgr_session_left(s->heard, t);
        next = ngx_min(next, t);
    }

    if (s->conf->heartbeat) {
        t = ngx_ws_mgr_session_left(s->beat, s->conf->heartbeat);
        next = ngx_min(next, t);
    }

    return next;
}
