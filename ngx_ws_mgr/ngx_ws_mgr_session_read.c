
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


#define NGX_WS_MGR_SESSION_IN  1024        /* first size of what is gathered */


static u_char  ngx_ws_mgr_session_buffer[NGX_WS_MGR_SESSION_BUFFER];


static void ngx_ws_mgr_session_read(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_discard(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_again(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_feed(ngx_ws_mgr_session_t *s, u_char *pos,
    u_char *last);
static void ngx_ws_mgr_session_frame(ngx_ws_mgr_session_t *s, ngx_int_t rc,
    ngx_str_t *data);
static void ngx_ws_mgr_session_fault(ngx_ws_mgr_session_t *s,
    ngx_uint_t code);
static void ngx_ws_mgr_session_message(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);
static ngx_uint_t ngx_ws_mgr_session_permit(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_control(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);
static void ngx_ws_mgr_session_closed(ngx_ws_mgr_session_t *s,
    ngx_str_t *payload);
static ngx_int_t ngx_ws_mgr_session_gather(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);
static ngx_int_t ngx_ws_mgr_session_gather_control(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);
static void ngx_ws_mgr_session_forget(ngx_ws_mgr_session_t *s);


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

    c->log->action = "reading from websocket";

    if (s->lingering) {
        ngx_ws_mgr_session_discard(s);
        return;
    }

    ngx_ws_mgr_session_read(s);
}


/* all that there is, but no more than READS times: others wait as well */

static void
ngx_ws_mgr_session_read(ngx_ws_mgr_session_t *s)
{
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = s->connection;

    ngx_ws_mgr_session_cork(s);

    for (i = 0; i < NGX_WS_MGR_SESSION_READS; i++) {

        if (s->paused || s->closed || s->dead) {
            break;
        }

        n = c->recv(c, ngx_ws_mgr_session_buffer, NGX_WS_MGR_SESSION_BUFFER);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_ws_mgr_session_die(s);
            break;
        }

        ngx_ws_mgr_session_feed(s, ngx_ws_mgr_session_buffer,
                                ngx_ws_mgr_session_buffer + n);

        if (!c->read->ready) {
            break;
        }
    }

    ngx_ws_mgr_session_uncork(s);

    if (s->dead) {
        return;
    }

    ngx_ws_mgr_session_again(s);
    ngx_ws_mgr_session_settle(s);
}


void
ngx_ws_mgr_session_read_early(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_session_in_t  *in;

    in = s->in;

    s->in = NULL;
    s->early = 0;

    ngx_ws_mgr_session_cork(s);
    ngx_ws_mgr_session_feed(s, in->data, in->data + in->len);
    ngx_ws_mgr_session_uncork(s);

    ngx_free(in);

    ngx_ws_mgr_session_settle(s);
}


/* what comes after the close handshake, up to the peer's EOF */

static void
ngx_ws_mgr_session_discard(ngx_ws_mgr_session_t *s)
{
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = s->connection;

    for (i = 0; i < NGX_WS_MGR_SESSION_READS; i++) {
        n = c->recv(c, ngx_ws_mgr_session_buffer, NGX_WS_MGR_SESSION_BUFFER);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_ws_mgr_session_end(s);
            return;
        }

        s->bytes_in += n;
        ngx_ws_mgr_count_add(BYTES_IN, n);

        if (!c->read->ready) {
            break;
        }
    }

    ngx_ws_mgr_session_again(s);
}


/* the read handler will be called for what is not read yet */

static void
ngx_ws_mgr_session_again(ngx_ws_mgr_session_t *s)
{
    ngx_event_t  *rev;

    rev = s->connection->read;

    if (rev->ready && !s->paused && (!s->closed || s->lingering)) {
        ngx_post_event(rev, &ngx_posted_next_events);
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_ws_mgr_session_die(s);
    }
}


static void
ngx_ws_mgr_session_feed(ngx_ws_mgr_session_t *s, u_char *pos, u_char *last)
{
    ngx_int_t   rc;
    ngx_str_t   data;
    ngx_uint_t  code;

    s->bytes_in += last - pos;
    ngx_ws_mgr_count_add(BYTES_IN, last - pos);

    while (!s->closed && !s->dead) {
        rc = ngx_ws_mgr_frame_parse(&s->frame, &pos, last,
                                    s->conf->message_size, &data, &code);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc == NGX_ERROR) {
            ngx_ws_mgr_session_fault(s, code);
            return;
        }

        s->heard = ngx_ws_mgr_session_now();
        s->pinging = 0;

        if (!s->frame.payload) {
            s->frames_in++;
        }

        ngx_ws_mgr_session_frame(s, rc, &data);
    }
}


/* messages are of no interest once a close frame was sent */

static void
ngx_ws_mgr_session_frame(ngx_ws_mgr_session_t *s, ngx_int_t rc,
    ngx_str_t *data)
{
    switch (rc) {

    case NGX_WS_MGR_FRAME_DATA:

        if (!s->closing && ngx_ws_mgr_session_gather(s, data) != NGX_OK) {
            ngx_ws_mgr_session_starve(s);
        }

        return;

    case NGX_WS_MGR_FRAME_MESSAGE:

        if (!s->closing) {
            ngx_ws_mgr_session_message(s, data);
        }

        ngx_ws_mgr_session_forget(s);
        return;

    case NGX_WS_MGR_FRAME_CONTROL_DATA:

        if (ngx_ws_mgr_session_gather_control(s, data) != NGX_OK) {
            ngx_ws_mgr_session_starve(s);
        }

        return;

    default: /* NGX_WS_MGR_FRAME_CONTROL_END */

        ngx_ws_mgr_session_control(s, data);
        return;
    }
}


static void
ngx_ws_mgr_session_fault(ngx_ws_mgr_session_t *s, ngx_uint_t code)
{
    const char  *reason;

    /* where frames begin is not known any more */

    s->closed = 1;

    if (s->closing) {
        return;
    }

    switch (code) {

    case NGX_WS_MGR_CLOSE_TOO_BIG:
        reason = "message too big";
        ngx_ws_mgr_count(CLOSED_TOO_BIG);
        break;

    case NGX_WS_MGR_CLOSE_INVALID:
        reason = "invalid UTF-8";
        ngx_ws_mgr_count(CLOSED_PROTOCOL);
        break;

    default:
        reason = "protocol error";
        ngx_ws_mgr_count(CLOSED_PROTOCOL);
    }

    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                  "ws_mgr closes with %ui: %s", code, reason);

    ngx_ws_mgr_session_goodbye(s, NGX_WS_MGR_SIDE_SERVER, code, reason);
}


/*
 * A whole message, "data" its last or only part.  What permessage-deflate has
 * to do with it (s->frame.rsv1) is to be done here, before the handler.
 */

static void
ngx_ws_mgr_session_message(ngx_ws_mgr_session_t *s, ngx_str_t *data)
{
    ngx_str_t  payload;

    ngx_ws_mgr_count(MESSAGES_IN);

    if (!ngx_ws_mgr_session_permit(s)) {
        ngx_ws_mgr_count(MESSAGES_RATE);
        s->handlers->limited(s);
        return;
    }

    payload = *data;

    if (s->in) {

        if (ngx_ws_mgr_session_gather(s, data) != NGX_OK) {
            ngx_ws_mgr_session_starve(s);
            return;
        }

        payload.data = s->in->data;
        payload.len = s->in->len;
    }

    s->handlers->message(s, s->frame.message, &payload);
}


/* takes a token of the rate, in 1/1000; 0: there is none */

static ngx_uint_t
ngx_ws_mgr_session_permit(ngx_ws_mgr_session_t *s)
{
    uint32_t  now;
    uint64_t  tokens, most;

    if (s->conf->rate == 0) {
        return 1;
    }

    now = ngx_ws_mgr_session_now();

    most = (uint64_t) ngx_max(s->conf->burst, 1) * 1000;
    most = ngx_min(most, NGX_MAX_UINT32_VALUE);

    tokens = (uint64_t) (now - s->filled) * s->conf->rate + s->tokens;

    s->tokens = (uint32_t) ngx_min(tokens, most);
    s->filled = now;

    if (s->tokens < 1000) {
        return 0;
    }

    s->tokens -= 1000;

    return 1;
}


/* a whole control frame, "data" its last or only part */

static void
ngx_ws_mgr_session_control(ngx_ws_mgr_session_t *s, ngx_str_t *data)
{
    ngx_str_t  payload;

    payload = *data;

    if (s->in && s->in->nctl) {

        if (ngx_ws_mgr_session_gather_control(s, data) != NGX_OK) {
            ngx_ws_mgr_session_starve(s);
            return;
        }

        payload.data = s->in->ctl;
        payload.len = s->in->nctl;
    }

    if (s->frame.opcode == NGX_WS_MGR_OP_CLOSE) {
        ngx_ws_mgr_session_closed(s, &payload);

    } else if (s->frame.opcode == NGX_WS_MGR_OP_PING && !s->closing) {
        ngx_ws_mgr_session_pong(s, &payload);
    }

    if (s->in) {
        s->in->nctl = 0;

        if (!s->frame.open) {
            ngx_ws_mgr_session_forget(s);
        }
    }
}


/* RFC 6455 section 5.5.1: the answer has the code that was received */

static void
ngx_ws_mgr_session_closed(ngx_ws_mgr_session_t *s, ngx_str_t *payload)
{
    ngx_uint_t  code, answer;

    s->closed = 1;

    if (s->closing) {
        return;
    }

    code = ngx_ws_mgr_frame_close_parse(payload, &answer);

    if (code == 0) {
        ngx_ws_mgr_session_fault(s, answer);
        return;
    }

    ngx_ws_mgr_session_goodbye(s, NGX_WS_MGR_SIDE_CLIENT, code, NULL);
}


/* grows as data comes, whatever length was announced */

static ngx_int_t
ngx_ws_mgr_session_gather(ngx_ws_mgr_session_t *s, ngx_str_t *data)
{
    size_t                    size;
    ngx_ws_mgr_session_in_t  *in, *old;

    if (data->len == 0) {
        return NGX_OK;
    }

    old = s->in;

    if (old == NULL || old->size - old->len < data->len) {
        size = old ? 2 * old->size : NGX_WS_MGR_SESSION_IN;
        size = ngx_min(size, s->conf->message_size);
        size = ngx_max(size, (old ? old->len : 0) + data->len);

        in = ngx_alloc(sizeof(ngx_ws_mgr_session_in_t) + size,
                       s->connection->log);
        if (in == NULL) {
            return NGX_ERROR;
        }

        in->len = 0;
        in->nctl = 0;

        if (old) {
            ngx_memcpy(in, old, sizeof(ngx_ws_mgr_session_in_t));
            ngx_memcpy(in->data, old->data, old->len);
            ngx_free(old);
        }

        in->size = size;
        s->in = in;
    }

    ngx_memcpy(s->in->data + s->in->len, data->data, data->len);
    s->in->len += data->len;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_session_gather_control(ngx_ws_mgr_session_t *s, ngx_str_t *data)
{
    if (s->in == NULL) {
        s->in = ngx_alloc(sizeof(ngx_ws_mgr_session_in_t),
                          s->connection->log);
        if (s->in == NULL) {
            return NGX_ERROR;
        }

        s->in->len = 0;
        s->in->size = 0;
        s->in->nctl = 0;
    }

    ngx_memcpy(s->in->ctl + s->in->nctl, data->data, data->len);
    s->in->nctl += data->len;

    return NGX_OK;
}


static void
ngx_ws_mgr_session_forget(ngx_ws_mgr_session_t *s)
{
    if (s->in) {
        ngx_free(s->in);
        s->in = NULL;
    }
}
