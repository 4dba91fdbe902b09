
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_output.h>


static ngx_chain_t *ngx_ws_mgr_output_send(ngx_connection_t *c,
    ngx_chain_t *in, off_t limit);


ngx_int_t
ngx_ws_mgr_output(ngx_http_request_t *r, ngx_chain_t *out)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = r->connection;

    if (c->send_chain != ngx_send_chain) {
        /* TLS, HTTP/2, HTTP/3: they gather on their own */
        return ngx_http_output_filter(r, out);
    }

    c->send_chain = ngx_ws_mgr_output_send;

    rc = ngx_http_output_filter(r, out);

    c->send_chain = ngx_send_chain;

    return rc;
}


static ngx_chain_t *
ngx_ws_mgr_output_send(ngx_connection_t *c, ngx_chain_t *in, off_t limit)
{
    size_t        size;
    u_char       *last, buf[NGX_WS_MGR_OUTPUT_SIZE];
    ssize_t       n;
    ngx_chain_t  *cl;

    last = buf;

    for (cl = in; cl; cl = cl->next) {

        if (ngx_buf_special(cl->buf)) {
            continue;
        }

        size = cl->buf->last - cl->buf->pos;

        if (!ngx_buf_in_memory(cl->buf)
            || size > (size_t) (buf + sizeof(buf) - last))
        {
            return ngx_send_chain(c, in, limit);
        }

        last = ngx_cpymem(last, cl->buf->pos, size);
    }

    if (!c->write->ready || last == buf || (limit && limit < last - buf)) {
        return ngx_send_chain(c, in, limit);
    }

    n = ngx_send(c, buf, last - buf);

    if (n == NGX_ERROR) {
        return NGX_CHAIN_ERROR;
    }

    return ngx_chain_update_sent(in, n == NGX_AGAIN ? 0 : n);
}
