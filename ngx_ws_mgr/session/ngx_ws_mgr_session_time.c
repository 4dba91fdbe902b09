
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Deadlines of a session: pings, heartbeats, its age, the drain of a worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


#define NGX_WS_MGR_SESSION_STOP       4096 /* bytes, thrown away at once */
#define NGX_WS_MGR_SESSION_RECONNECT  1000 /* ms: added to a drain's spread */


static uint32_t ngx_ws_mgr_session_farewell(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_depart(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_expire(ngx_ws_mgr_session_t *s);
static ngx_uint_t ngx_ws_mgr_session_tick_ping(ngx_ws_mgr_session_t *s);


void
ngx_ws_mgr_session_begin(ngx_ws_mgr_session_t *s)
{
    uint32_t  now;

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

    /* one that is being closed waits for its peer's answer, and no longer */

    if (ngx_exiting && !s->closing) {
        s->draining = 1;
        s->bye = ngx_ws_mgr_session_farewell(s);
    }

    ngx_ws_mgr_session_schedule(s);
}


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
ngx_ws_mgr_session_stop(ngx_ws_mgr_session_t *s)
{
    ngx_uint_t         n;
    ngx_connection_t  *c;
    u_char             buf[NGX_WS_MGR_SESSION_STOP];

    c = s->connection;

    if (!s->closing && !s->dead) {
        ngx_ws_mgr_session_depart(s);
    }

    /* a socket that is closed with something unread is reset, and what it was
       sent may be lost with that */

    if (!s->dead) {
        (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);

        for (n = 0;
             n < 16 && recv(c->fd, buf, sizeof(buf), 0) == sizeof(buf);
             n++)
        {
            /* void */
        }
    }

    ngx_ws_mgr_session_end(s);
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
        s->connection->timedout = 1;
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
