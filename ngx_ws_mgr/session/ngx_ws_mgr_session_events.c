
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Event handlers of an upgraded connection, and its start.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


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
ngx_ws_mgr_session_read_handler(ngx_event_t *rev)
{
    ngx_connection_t      *c;
    ngx_ws_mgr_session_t  *s;

    c = rev->data;
    s = c->data;

    if (s->dead) {
        ngx_ws_mgr_session_end(s);
        return;
    }

    if (c->close) {
        c->close = 0;
        ngx_ws_mgr_session_drain(s);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_ws_mgr_session_tick(s);
        return;
    }

    if (s->lingering) {
        ngx_ws_mgr_session_discard(s);
        return;
    }

    ngx_ws_mgr_session_read(s);
}


void
ngx_ws_mgr_session_write_handler(ngx_event_t *wev)
{
    ngx_connection_t      *c;
    ngx_ws_mgr_session_t  *s;

    c = wev->data;
    s = c->data;

    if (s->dead) {
        ngx_ws_mgr_session_end(s);
        return;
    }

    /* epoll tells of writing when there is something to read, too */

    if (!s->blocked || !wev->ready) {
        return;
    }

    s->blocked = 0;

    /* the peer has acknowledged something, and the ping may be behind it */

    if (s->pinging) {
        s->heard = ngx_ws_mgr_session_now();
    }

    /* so may the close frame */

    if (s->closing && s->out) {
        s->bye = ngx_ws_mgr_session_now() + NGX_WS_MGR_SESSION_WAIT;
        ngx_ws_mgr_session_schedule(s);
    }

    if (s->out && ngx_ws_mgr_session_unhold(s) != NGX_OK) {
        return;
    }

    if (s->paused) {
        s->paused = 0;
        ngx_post_event(c->read, &ngx_posted_next_events);
    }

    if (s->closing) {
        ngx_ws_mgr_session_settle(s);
        return;
    }

    s->handlers->writable(s);
}
