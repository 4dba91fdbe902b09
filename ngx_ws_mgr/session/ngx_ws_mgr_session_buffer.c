
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The buffer of a session for input: a message that did not arrive at once, and
 * bytes that came with the request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session_io.h>


ngx_ws_mgr_session_in_t *
ngx_ws_mgr_session_in(ngx_ws_mgr_session_in_t *old, size_t size,
    ngx_log_t *log)
{
    ngx_ws_mgr_session_in_t  *in;

    in = ngx_alloc(sizeof(ngx_ws_mgr_session_in_t) + size, log);
    if (in == NULL) {
        return NULL;
    }

    if (old) {
        ngx_memcpy(in, old, sizeof(ngx_ws_mgr_session_in_t));
        ngx_memcpy(in->data, old->data, old->len);
        ngx_free(old);

    } else {
        ngx_memzero(in, sizeof(ngx_ws_mgr_session_in_t));
    }

    in->size = size;

    return in;
}


void
ngx_ws_mgr_session_forget(ngx_ws_mgr_session_t *s)
{
    if (s->in == NULL) {
        return;
    }

    if (s->in->inflate) {
        ngx_ws_mgr_inflate_end(s->in->inflate);
    }

    ngx_free(s->in);
    s->in = NULL;
}
