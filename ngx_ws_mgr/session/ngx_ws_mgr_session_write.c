
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Writing: frames go to the kernel at once, and what the kernel does not take
 * is held back in order, up to a bound.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


#define NGX_WS_MGR_SESSION_OUT  512        /* first size of what is held back */


/*
 * Frames that a session sends while it handles what it has read are gathered
 * here and go out together.  Of one session at a time.
 */

static struct {
    ngx_ws_mgr_session_t  *session;        /* NULL: nobody is corked */
    size_t                 len;
    u_char                 data[NGX_WS_MGR_SESSION_BUFFER];
} ngx_ws_mgr_session_stage;


static u_char *ngx_ws_mgr_session_compress(ngx_ws_mgr_session_t *s,
    u_char *payload, size_t *len);
static void ngx_ws_mgr_session_send_frame(ngx_ws_mgr_session_t *s,
    ngx_uint_t opcode, u_char *payload, size_t len);
static void ngx_ws_mgr_session_flush(ngx_ws_mgr_session_t *s);
static size_t ngx_ws_mgr_session_push(ngx_ws_mgr_session_t *s, u_char *p,
    size_t len, ngx_int_t *rc);
static void ngx_ws_mgr_session_transmit(ngx_ws_mgr_session_t *s, u_char *p,
    size_t len);
static void ngx_ws_mgr_session_hold(ngx_ws_mgr_session_t *s, u_char *p,
    size_t len);
static ngx_ws_mgr_session_out_t *ngx_ws_mgr_session_room(
    ngx_ws_mgr_session_out_t *out, size_t len, ngx_log_t *log);
static void ngx_ws_mgr_session_block(ngx_ws_mgr_session_t *s);


void
ngx_ws_mgr_session_send(ngx_ws_mgr_session_t *s, ngx_uint_t opcode,
    u_char *payload, size_t len)
{
    u_char  *deflated;

    if (s->closing || s->dead) {
        return;
    }

    deflated = NULL;

    if (!ngx_ws_mgr_frame_control(opcode)
        && ngx_ws_mgr_session_deflates(s, len))
    {
        deflated = ngx_ws_mgr_session_compress(s, payload, &len);
    }

    if (deflated == NULL) {
        ngx_ws_mgr_session_send_frame(s, opcode, payload, len);
        return;
    }

    ngx_ws_mgr_session_send_frame(s, opcode|NGX_WS_MGR_OP_DEFLATED, deflated,
                                  len);
    ngx_free(deflated);
}


/* NULL: it goes as it is; else to be freed, *len is its length */

static u_char *
ngx_ws_mgr_session_compress(ngx_ws_mgr_session_t *s, u_char *payload,
    size_t *len)
{
    size_t   n;
    u_char  *deflated;

    deflated = ngx_alloc(*len, s->connection->log);
    if (deflated == NULL) {
        return NULL;
    }

    n = ngx_ws_mgr_deflate(s->window, payload, *len, deflated);

    if (n == 0) {
        ngx_free(deflated);
        return NULL;
    }

    ngx_ws_mgr_count(DEFLATED);
    ngx_ws_mgr_count_add(DEFLATED_SAVED, *len - n);

    *len = n;

    return deflated;
}


static void
ngx_ws_mgr_session_send_frame(ngx_ws_mgr_session_t *s, ngx_uint_t opcode,
    u_char *payload, size_t len)
{
    u_char                *last;
    u_char                 header[NGX_WS_MGR_FRAME_HEADER];
    ngx_ws_mgr_session_t  *corked;

    last = ngx_ws_mgr_frame_header(header, opcode, len);

    s->frames_out++;

    corked = ngx_ws_mgr_session_stage.session;

    if (corked == s) {
        ngx_ws_mgr_session_write(s, header, last - header);
        ngx_ws_mgr_session_write(s, payload, len);
        return;
    }

    /* header and payload in one packet; another session's are not delayed */

    if (corked) {
        ngx_ws_mgr_session_uncork(corked);
    }

    ngx_ws_mgr_session_cork(s);
    ngx_ws_mgr_session_write(s, header, last - header);
    ngx_ws_mgr_session_write(s, payload, len);
    ngx_ws_mgr_session_uncork(s);

    if (corked) {
        ngx_ws_mgr_session_cork(corked);
    }
}


ngx_uint_t
ngx_ws_mgr_session_send_frames(ngx_ws_mgr_session_t *s, u_char *start,
    ngx_uint_t n, size_t (*end)(void *data, ngx_uint_t i), void *data)
{
    size_t      len, sent, begun, bound;
    ngx_int_t   rc;
    ngx_uint_t  taken;

    if (ngx_ws_mgr_session_stage.session == s) {
        ngx_ws_mgr_session_flush(s);
    }

    if (n == 0 || !ngx_ws_mgr_session_idle(s)) {
        return 0;
    }

    len = end(data, n - 1);
    sent = ngx_ws_mgr_session_push(s, start, len, &rc);

    if (sent == len) {
        s->frames_out += n;
        return n;
    }

    begun = sent;

    if (rc == NGX_AGAIN && ngx_ws_mgr_session_tls(s->connection)) {

        /* OpenSSL has made a record of these, and wants them again */

        begun += ngx_min(len - sent, NGX_WS_MGR_SESSION_RECORD);
    }

    bound = 0;

    for (taken = 0; bound < begun; taken++) {
        bound = end(data, taken);
    }

    s->frames_out += taken;

    if (rc == NGX_ERROR) {
        ngx_ws_mgr_session_die(s);

    } else if (bound > sent) {
        ngx_ws_mgr_session_hold(s, start + sent, bound - sent);

    } else {
        ngx_ws_mgr_session_block(s);
    }

    return taken;
}


size_t
ngx_ws_mgr_session_held(ngx_ws_mgr_session_t *s)
{
    return s->out ? s->out->last - s->out->pos : 0;
}


void
ngx_ws_mgr_session_cork(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_session_stage.session = s;
    ngx_ws_mgr_session_stage.len = 0;
}


void
ngx_ws_mgr_session_uncork(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_session_flush(s);
    ngx_ws_mgr_session_stage.session = NULL;
}


/* sends what is staged, which is of s */

static void
ngx_ws_mgr_session_flush(ngx_ws_mgr_session_t *s)
{
    size_t  len;

    len = ngx_ws_mgr_session_stage.len;
    ngx_ws_mgr_session_stage.len = 0;

    if (len && !s->dead) {
        ngx_ws_mgr_session_transmit(s, ngx_ws_mgr_session_stage.data, len);
    }
}


void
ngx_ws_mgr_session_write(ngx_ws_mgr_session_t *s, u_char *p, size_t len)
{
    size_t  n;

    if (ngx_ws_mgr_session_stage.session != s) {
        ngx_ws_mgr_session_transmit(s, p, len);
        return;
    }

    while (len) {

        if (s->dead) {
            return;
        }

        if (ngx_ws_mgr_session_stage.len == 0
            && (s->blocked || len >= NGX_WS_MGR_SESSION_BUFFER))
        {
            ngx_ws_mgr_session_transmit(s, p, len);
            return;
        }

        n = NGX_WS_MGR_SESSION_BUFFER - ngx_ws_mgr_session_stage.len;
        n = ngx_min(n, len);

        ngx_memcpy(ngx_ws_mgr_session_stage.data
                   + ngx_ws_mgr_session_stage.len, p, n);

        ngx_ws_mgr_session_stage.len += n;
        p += n;
        len -= n;

        if (ngx_ws_mgr_session_stage.len == NGX_WS_MGR_SESSION_BUFFER) {
            ngx_ws_mgr_session_flush(s);
        }
    }
}


void
ngx_ws_mgr_session_pong(ngx_ws_mgr_session_t *s, ngx_str_t *payload)
{
    ngx_ws_mgr_session_out_t  *out;

    out = s->out;

    if (out == NULL) {
        ngx_ws_mgr_session_send(s, NGX_WS_MGR_OP_PONG, payload->data,
                                payload->len);
        return;
    }

    ngx_memcpy(out->pong, payload->data, payload->len);

    out->npong = payload->len;
    out->ponging = 1;
}


/* sends as much as the socket takes; *rc is NGX_OK, NGX_AGAIN or NGX_ERROR */

static size_t
ngx_ws_mgr_session_push(ngx_ws_mgr_session_t *s, u_char *p, size_t len,
    ngx_int_t *rc)
{
    size_t             sent;
    ssize_t            n;
    ngx_connection_t  *c;

    c = s->connection;
    sent = 0;
    *rc = NGX_OK;

    (void) ngx_ws_mgr_session_log(s, "writing to websocket");

    while (sent < len) {
        n = c->send(c, p + sent, len - sent);

        if (n == NGX_ERROR) {
            *rc = NGX_ERROR;
            break;
        }

        if (n <= 0) {
            *rc = NGX_AGAIN;
            break;
        }

        sent += n;

        if (!c->write->ready) {
            break;
        }
    }

    s->bytes_out += sent;
    ngx_ws_mgr_count_add(BYTES_OUT, sent);

    return sent;
}


static void
ngx_ws_mgr_session_transmit(ngx_ws_mgr_session_t *s, u_char *p, size_t len)
{
    size_t     sent;
    ngx_int_t  rc;

    if (s->dead) {
        return;
    }

    sent = 0;

    if (!s->blocked) {
        sent = ngx_ws_mgr_session_push(s, p, len, &rc);

        if (rc == NGX_ERROR) {
            ngx_ws_mgr_session_die(s);
            return;
        }
    }

    if (sent < len) {
        ngx_ws_mgr_session_hold(s, p + sent, len - sent);
    }
}


static void
ngx_ws_mgr_session_hold(ngx_ws_mgr_session_t *s, u_char *p, size_t len)
{
    ngx_ws_mgr_session_out_t  *out;

    out = ngx_ws_mgr_session_room(s->out, len, s->connection->log);

    if (out == NULL) {
        ngx_ws_mgr_session_starve(s);
        return;
    }

    ngx_memcpy(out->data + out->last, p, len);
    out->last += len;

    s->out = out;

    if (out->last - out->pos > NGX_WS_MGR_SESSION_HELD && !s->closing) {
        s->paused = 1;
    }

    ngx_ws_mgr_session_block(s);
}


/* makes room for len bytes more; NULL: no memory, "out" is as it was */

static ngx_ws_mgr_session_out_t *
ngx_ws_mgr_session_room(ngx_ws_mgr_session_out_t *out, size_t len,
    ngx_log_t *log)
{
    size_t                     held, size;
    ngx_ws_mgr_session_out_t  *room;

    held = out ? out->last - out->pos : 0;

    if (out && out->size - out->last >= len) {
        return out;
    }

    if (out && held + len <= out->size / 2) {
        ngx_memmove(out->data, out->data + out->pos, held);

        out->pos = 0;
        out->last = held;

        return out;
    }

    size = ngx_max(2 * held, held + len);
    size = ngx_max(size, NGX_WS_MGR_SESSION_OUT);

    room = ngx_alloc(sizeof(ngx_ws_mgr_session_out_t) + size, log);
    if (room == NULL) {
        return NULL;
    }

    room->npong = 0;
    room->ponging = 0;

    if (out) {
        *room = *out;
        ngx_memcpy(room->data, out->data + out->pos, held);
        ngx_free(out);
    }

    room->pos = 0;
    room->last = held;
    room->size = size;

    return room;
}


/* the write handler will be called */

static void
ngx_ws_mgr_session_block(ngx_ws_mgr_session_t *s)
{
    ngx_event_t  *wev;

    wev = s->connection->write;

    s->blocked = 1;

    if (wev->ready) {
        ngx_post_event(wev, &ngx_posted_next_events);
        return;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_ws_mgr_session_die(s);
    }
}


/* NGX_OK: nothing is held back any more */

ngx_int_t
ngx_ws_mgr_session_unhold(ngx_ws_mgr_session_t *s)
{
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_ws_mgr_session_out_t  *out;

    out = s->out;

    for ( ;; ) {
        out->pos += ngx_ws_mgr_session_push(s, out->data + out->pos,
                                            out->last - out->pos, &rc);

        if (rc == NGX_ERROR) {
            ngx_ws_mgr_session_die(s);
            return NGX_ERROR;
        }

        if (out->pos < out->last) {
            ngx_ws_mgr_session_block(s);
            return NGX_AGAIN;
        }

        if (!out->ponging || s->closing) {
            break;
        }

        p = ngx_ws_mgr_frame_header(out->data, NGX_WS_MGR_OP_PONG, out->npong);
        p = ngx_cpymem(p, out->pong, out->npong);

        out->ponging = 0;
        out->pos = 0;
        out->last = p - out->data;

        s->frames_out++;
    }

    ngx_free(out);
    s->out = NULL;

    return NGX_OK;
}
