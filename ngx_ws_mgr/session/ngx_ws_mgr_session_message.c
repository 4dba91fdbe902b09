
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Messages: payload of data frames is limited, inflated and gathered until a
 * message is whole, and then given to the handlers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


#define NGX_WS_MGR_SESSION_IN  1024        /* first size of what is gathered */


static ngx_uint_t ngx_ws_mgr_session_wanted(ngx_ws_mgr_session_t *s);
static ngx_uint_t ngx_ws_mgr_session_permit(ngx_ws_mgr_session_t *s);
static ngx_int_t ngx_ws_mgr_session_collect(ngx_ws_mgr_session_t *s,
    ngx_str_t *data, ngx_uint_t end);
static ngx_int_t ngx_ws_mgr_session_inflate(ngx_ws_mgr_session_t *s,
    ngx_str_t *data, ngx_uint_t end);
static ngx_int_t ngx_ws_mgr_session_inflated(ngx_ws_mgr_session_t *s,
    ngx_str_t *data, ngx_uint_t end);
static ngx_int_t ngx_ws_mgr_session_gather(ngx_ws_mgr_session_t *s,
    ngx_str_t *data);


void
ngx_ws_mgr_session_data(ngx_ws_mgr_session_t *s, ngx_str_t *data,
    ngx_uint_t end)
{
    ngx_str_t  payload;

    if (ngx_ws_mgr_session_wanted(s)
        && ngx_ws_mgr_session_collect(s, data, end) == NGX_OK
        && end)
    {
        payload = *data;

        if (s->in && (s->in->len || s->frame.rsv1)) {
            payload.data = s->in->data;
            payload.len = s->in->len;
        }

        s->handlers->message(s, s->frame.message, &payload);
    }

    if (end) {
        ngx_ws_mgr_session_forget(s);
    }
}


/* messages are of no interest once a close frame was sent; whether the rate
   allows one is asked as it begins, before anything is spent on it */

static ngx_uint_t
ngx_ws_mgr_session_wanted(ngx_ws_mgr_session_t *s)
{
    if (s->closing) {

        if (!s->frame.known) {
            s->frame.known = 1;
            ngx_ws_mgr_discard(MESSAGES_LATE);
        }

        return 0;
    }

    if (!s->frame.known) {
        s->frame.known = 1;

        ngx_ws_mgr_count(MESSAGES_IN);

        if (!ngx_ws_mgr_session_permit(s)) {
            s->frame.skip = 1;

            ngx_ws_mgr_discard(MESSAGES_RATE);
            s->handlers->limited(s);
        }
    }

    return !s->frame.skip;
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


/* a message that comes whole and as it is stays where it is */

static ngx_int_t
ngx_ws_mgr_session_collect(ngx_ws_mgr_session_t *s, ngx_str_t *data,
    ngx_uint_t end)
{
    ngx_int_t  rc;

    if (s->frame.rsv1) {
        rc = ngx_ws_mgr_session_inflate(s, data, end);

    } else if (end && (s->in == NULL || s->in->len == 0)) {
        rc = NGX_OK;

    } else {
        rc = ngx_ws_mgr_session_gather(s, data);
    }

    if (rc == NGX_ABORT) {
        ngx_ws_mgr_session_starve(s);
    }

    return rc;
}


/* NGX_ERROR: the session closes; NGX_ABORT: no memory */

static ngx_int_t
ngx_ws_mgr_session_inflate(ngx_ws_mgr_session_t *s, ngx_str_t *data,
    ngx_uint_t end)
{
    ngx_int_t  rc, gathered;
    ngx_str_t  in, out;

    if (s->in == NULL) {
        s->in = ngx_ws_mgr_session_in(NULL, 0, s->connection->log);
        if (s->in == NULL) {
            return NGX_ABORT;
        }
    }

    if (s->in->inflate == NULL) {
        s->in->inflate = ngx_ws_mgr_inflate_begin();
        if (s->in->inflate == NULL) {
            return NGX_ABORT;
        }
    }

    in = *data;

    do {
        rc = ngx_ws_mgr_inflate(s->in->inflate, &in, end, &out);

        if (rc == NGX_ABORT) {
            return NGX_ABORT;
        }

        if (rc == NGX_ERROR) {
            ngx_ws_mgr_session_fault(s, NGX_WS_MGR_CLOSE_INVALID,
                                     "invalid compressed data");
            return NGX_ERROR;
        }

        gathered = ngx_ws_mgr_session_inflated(s, &out, end && rc == NGX_OK);

        if (gathered != NGX_OK) {
            return gathered;
        }

    } while (rc == NGX_AGAIN);

    return NGX_OK;
}


/* what the parser does for a message that comes as it is */

static ngx_int_t
ngx_ws_mgr_session_inflated(ngx_ws_mgr_session_t *s, ngx_str_t *data,
    ngx_uint_t end)
{
    if (data->len > s->conf->message_size - s->in->len) {
        ngx_ws_mgr_session_fault(s, NGX_WS_MGR_CLOSE_TOO_BIG, NULL);
        return NGX_ERROR;
    }

    if (s->frame.message == NGX_WS_MGR_OP_TEXT
        && (ngx_ws_mgr_frame_utf8(&s->frame.utf8, data->data,
                                  data->data + data->len)
            != NGX_OK
            || (end && s->frame.utf8)))
    {
        ngx_ws_mgr_session_fault(s, NGX_WS_MGR_CLOSE_INVALID, NULL);
        return NGX_ERROR;
    }

    return ngx_ws_mgr_session_gather(s, data);
}


/* grows as data comes, whatever length was announced */

static ngx_int_t
ngx_ws_mgr_session_gather(ngx_ws_mgr_session_t *s, ngx_str_t *data)
{
    size_t                    len, size;
    ngx_ws_mgr_session_in_t  *in;

    if (data->len == 0) {
        return NGX_OK;
    }

    len = (s->in ? s->in->len : 0) + data->len;

    if (s->in == NULL || s->in->size < len) {
        size = s->in ? 2 * s->in->size : 0;
        size = ngx_max(size, NGX_WS_MGR_SESSION_IN);
        size = ngx_min(size, s->conf->message_size);
        size = ngx_max(size, len);

        in = ngx_ws_mgr_session_in(s->in, size, s->connection->log);
        if (in == NULL) {
            return NGX_ABORT;
        }

        s->in = in;
    }

    ngx_memcpy(s->in->data + s->in->len, data->data, data->len);
    s->in->len = len;

    return NGX_OK;
}
