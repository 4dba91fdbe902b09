
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Reading: bytes are parsed into frames in a buffer of the worker, control
 * frames are answered, and payload of messages goes on to session_message.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


static u_char  ngx_ws_mgr_session_buffer[NGX_WS_MGR_SESSION_BUFFER];


static void ngx_ws_mgr_session_again(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_session_feed(ngx_ws_mgr_session_t *s, u_char *pos,
    u_char *last);
static void ngx_ws_mgr_session_frame(ngx_ws_mgr_session_t *s, ngx_int_t rc,
    ngx_str_t *data);
static void ngx_ws_mgr_session_control(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);
static void ngx_ws_mgr_session_closed(ngx_ws_mgr_session_t *s,
    ngx_str_t *payload);
static ngx_int_t ngx_ws_mgr_session_gather_control(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);


/* all that there is, but no more than READS times: others wait as well */

void
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

        (void) ngx_ws_mgr_session_log(s, "reading from websocket");

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

void
ngx_ws_mgr_session_discard(ngx_ws_mgr_session_t *s)
{
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = s->connection;

    for (i = 0; i < NGX_WS_MGR_SESSION_READS; i++) {
        (void) ngx_ws_mgr_session_log(s, "reading from websocket");

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
            ngx_ws_mgr_session_fault(s, code, NULL);
            return;
        }

        ngx_ws_mgr_session_hear(s);

        if (!s->frame.payload) {
            s->frames_in++;
        }

        ngx_ws_mgr_session_frame(s, rc, &data);
    }
}


static void
ngx_ws_mgr_session_frame(ngx_ws_mgr_session_t *s, ngx_int_t rc,
    ngx_str_t *data)
{
    switch (rc) {

    case NGX_WS_MGR_FRAME_DATA:

        ngx_ws_mgr_session_data(s, data, 0);
        return;

    case NGX_WS_MGR_FRAME_MESSAGE:

        ngx_ws_mgr_session_data(s, data, 1);
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
        ngx_ws_mgr_session_fault(s, answer, NULL);
        return;
    }

    ngx_ws_mgr_session_goodbye(s, NGX_WS_MGR_SIDE_CLIENT, code, NULL);
}


static ngx_int_t
ngx_ws_mgr_session_gather_control(ngx_ws_mgr_session_t *s, ngx_str_t *data)
{
    if (s->in == NULL) {
        s->in = ngx_ws_mgr_session_in(NULL, 0, s->connection->log);
        if (s->in == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(s->in->ctl + s->in->nctl, data->data, data->len);
    s->in->nctl += data->len;

    return NGX_OK;
}
