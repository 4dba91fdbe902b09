
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <zlib.h>
#include <ngx_ws_mgr_deflate.h>


#define NGX_WS_MGR_DEFLATE_BUFFER  65536   /* inflated in one go */

#define NGX_WS_MGR_DEFLATE_MIN     9       /* bits of zlib's windows */
#define NGX_WS_MGR_DEFLATE_MAX     15

/*
 * zlib matches nothing that is further back than its window less this, which
 * its deflate.h calls MIN_LOOKAHEAD: 250 bytes with 9 bits, which is within a
 * window of 8 bits, that zlib does not have.
 */
#define NGX_WS_MGR_DEFLATE_AHEAD   262

/* of data_type after inflate(): all bits were used, and a block begins */
#define NGX_WS_MGR_INFLATE_BITS    0x07
#define NGX_WS_MGR_INFLATE_BLOCK   0x80


struct ngx_ws_mgr_inflate_s {
    z_stream    z;
    ngx_uint_t  begun;             /* inside a stream of DEFLATE */
};


static z_stream *ngx_ws_mgr_deflate_stream(ngx_uint_t bits);
static ngx_int_t ngx_ws_mgr_inflate_some(ngx_ws_mgr_inflate_t *inf,
    ngx_str_t *in, ngx_str_t *out);


static z_stream  *ngx_ws_mgr_deflate_streams[NGX_WS_MGR_DEFLATE_MAX + 1];

/* kept by the worker: most messages come one after the other */
static ngx_ws_mgr_inflate_t  *ngx_ws_mgr_inflate_spare;

static u_char  ngx_ws_mgr_inflate_buffer[NGX_WS_MGR_DEFLATE_BUFFER];

/* the end of a sync flush, which is not sent: RFC 7692 section 7.2.1 */
static u_char  ngx_ws_mgr_inflate_tail[] = { 0x00, 0x00, 0xff, 0xff };


size_t
ngx_ws_mgr_deflate(ngx_uint_t window, const u_char *p, size_t len,
    u_char *dst)
{
    z_stream    *z;
    ngx_uint_t   bits;

    /* the smallest window that has it all: it is the quickest to reset */

    bits = NGX_WS_MGR_DEFLATE_MIN;

    while (bits < window
           && ((size_t) 1 << bits) < len + NGX_WS_MGR_DEFLATE_AHEAD)
    {
        bits++;
    }

    z = ngx_ws_mgr_deflate_stream(bits);
    if (z == NULL) {
        return 0;
    }

    z->next_in = (u_char *) p;
    z->avail_in = (uInt) len;
    z->next_out = dst;
    z->avail_out = (uInt) len;

    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_out == 0) {
        return 0;
    }

    return z->next_out - dst - sizeof(ngx_ws_mgr_inflate_tail);
}


/* ready for a message; NULL: no memory */

static z_stream *
ngx_ws_mgr_deflate_stream(ngx_uint_t bits)
{
    z_stream  *z;

    z = ngx_ws_mgr_deflate_streams[bits];

    if (z) {
        return deflateReset(z) == Z_OK ? z : NULL;
    }

    z = ngx_calloc(sizeof(z_stream), ngx_cycle->log);
    if (z == NULL) {
        return NULL;
    }

    /* with this memLevel a block has room for as many symbols as the window
       has bytes */

    if (deflateInit2(z, Z_BEST_SPEED, Z_DEFLATED, - (int) bits,
                     (int) bits - 6, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        ngx_free(z);
        return NULL;
    }

    ngx_ws_mgr_deflate_streams[bits] = z;

    return z;
}


ngx_ws_mgr_inflate_t *
ngx_ws_mgr_inflate_begin(void)
{
    ngx_ws_mgr_inflate_t  *inf;

    inf = ngx_ws_mgr_inflate_spare;

    if (inf) {
        ngx_ws_mgr_inflate_spare = NULL;
        return inf;
    }

    inf = ngx_calloc(sizeof(ngx_ws_mgr_inflate_t), ngx_cycle->log);

    if (inf && inflateInit2(&inf->z, - NGX_WS_MGR_DEFLATE_MAX) != Z_OK) {
        ngx_free(inf);
        return NULL;
    }

    return inf;
}


void
ngx_ws_mgr_inflate_end(ngx_ws_mgr_inflate_t *inf)
{
    if (ngx_ws_mgr_inflate_spare == NULL && inflateReset(&inf->z) == Z_OK) {
        inf->begun = 0;
        ngx_ws_mgr_inflate_spare = inf;
        return;
    }

    (void) inflateEnd(&inf->z);
    ngx_free(inf);
}


ngx_int_t
ngx_ws_mgr_inflate(ngx_ws_mgr_inflate_t *inf, ngx_str_t *in,
    ngx_uint_t final, ngx_str_t *out)
{
    size_t     len;
    ngx_int_t  rc;
    ngx_str_t  tail;

    out->data = ngx_ws_mgr_inflate_buffer;
    out->len = 0;

    rc = ngx_ws_mgr_inflate_some(inf, in, out);

    if (rc != NGX_OK || !final || !inf->begun) {
        return rc;
    }

    /* the tail is an empty block, which no block is open for, and there is
       room for what it would yield if it were none */

    len = out->len;

    tail.data = ngx_ws_mgr_inflate_tail;
    tail.len = sizeof(ngx_ws_mgr_inflate_tail);

    rc = ngx_ws_mgr_inflate_some(inf, &tail, out);

    if (rc == NGX_ABORT) {
        return NGX_ABORT;
    }

    if (rc != NGX_OK || out->len != len
        || (inf->z.data_type
            & (NGX_WS_MGR_INFLATE_BLOCK|NGX_WS_MGR_INFLATE_BITS))
           != NGX_WS_MGR_INFLATE_BLOCK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* NGX_AGAIN: the buffer is full; NGX_OK: all of "in" is used */

static ngx_int_t
ngx_ws_mgr_inflate_some(ngx_ws_mgr_inflate_t *inf, ngx_str_t *in,
    ngx_str_t *out)
{
    int        rc;
    z_stream  *z;

    z = &inf->z;

    z->next_in = in->data;
    z->avail_in = (uInt) in->len;
    z->next_out = out->data + out->len;
    z->avail_out = (uInt) (NGX_WS_MGR_DEFLATE_BUFFER - out->len);

    /* a block that says that it is the last is none: section 7.2.3.4 */

    do {
        inf->begun |= (z->avail_in != 0);

        rc = inflate(z, Z_SYNC_FLUSH);

        if (rc == Z_STREAM_END) {
            rc = inflateReset(z);
            inf->begun = 0;
        }

    } while (rc == Z_OK && z->avail_in && z->avail_out);

    in->data += in->len - z->avail_in;
    in->len = z->avail_in;
    out->len = z->next_out - out->data;

    if (rc == Z_MEM_ERROR) {
        return NGX_ABORT;
    }

    if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return NGX_ERROR;
    }

    return z->avail_out ? NGX_OK : NGX_AGAIN;
}
