
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The one timer of a session, c->read's: set for the earliest of pong, ping,
 * heartbeat, age and goodbye.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


static ngx_msec_t ngx_ws_mgr_session_next(ngx_ws_mgr_session_t *s);


void
ngx_ws_mgr_session_hear(ngx_ws_mgr_session_t *s)
{
    s->heard = ngx_ws_mgr_session_now();

    if (!s->pinging) {
        return;
    }

    s->pinging = 0;

    /* the timer is that of the answer: the next ping may be due before */

    if (s->conf->ping_timeout > s->conf->ping_interval) {
        ngx_ws_mgr_session_schedule(s);
    }
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


/* milliseconds until the interval is over */

ngx_msec_t
ngx_ws_mgr_session_left(uint32_t since, ngx_msec_t interval)
{
    uint32_t  passed;

    passed = ngx_ws_mgr_session_now() - since;

    return (passed < interval) ? interval - passed : 0;
}
