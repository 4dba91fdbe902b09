
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The end of a session.  leave() tells the layers above as soon as the end is
 * known.  die() marks a connection that is of no use and posts its event.
 * end() frees the session and closes the connection.  The first cause is
 * counted, and no later one.
 *
 * Functions that send or close may call die(), never end(): the session stays
 * valid until its event handler runs, or until the worker stops.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


static ngx_uint_t ngx_ws_mgr_session_code_row(ngx_uint_t code);
static void ngx_ws_mgr_session_give(ngx_ws_mgr_session_t *s);


void
ngx_ws_mgr_session_leave(ngx_ws_mgr_session_t *s)
{
    if (!s->left) {
        s->left = 1;
        s->handlers->leave(s);
    }
}


/* who ended it is decided once, whatever follows */

void
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
ngx_ws_mgr_session_give(ngx_ws_mgr_session_t *s)
{
    ngx_log_t         *log;
    ngx_connection_t  *c;

    c = s->connection;

    if (c->pool) {
        ngx_http_close_connection(c);
        return;
    }

    /* the same, of a connection without a pool */

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    c->destroyed = 1;
    log = (c->log == &s->conf->log) ? NULL : c->log;

    ngx_close_connection(c);

    if (log) {
        ngx_free(log);
    }

    ngx_free(s);
}
