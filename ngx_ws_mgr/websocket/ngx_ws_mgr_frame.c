
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_frame.h>


/* bits of a frame's first two bytes, RFC 6455 section 5.2 */
#define NGX_WS_MGR_FRAME_FIN     0x80
#define NGX_WS_MGR_FRAME_RSV1    0x40
#define NGX_WS_MGR_FRAME_RSV     0x70
#define NGX_WS_MGR_FRAME_MASKED  0x80
#define NGX_WS_MGR_FRAME_LEN     0x7f

/* by how much a message of that size may have grown when it was compressed:
   beyond deflateBound() of zlib with any parameters */
#define ngx_ws_mgr_frame_growth(max)  (((max) >> 4) + 64)

/* of a client frame's header, by the length in its second byte */
#define ngx_ws_mgr_frame_head_size(len)                                       \
    (6 + ((len) < 126 ? 0 : (len) == 126 ? 2 : 8))


static ngx_int_t ngx_ws_mgr_frame_head(ngx_ws_mgr_frame_t *f, u_char **pos,
    u_char *last, uint64_t max, ngx_uint_t *close);
static ngx_int_t ngx_ws_mgr_frame_gather(ngx_ws_mgr_frame_t *f, u_char **pos,
    u_char *last, size_t need);
static ngx_int_t ngx_ws_mgr_frame_start(ngx_ws_mgr_frame_t *f,
    const u_char *p);
static ngx_int_t ngx_ws_mgr_frame_length(ngx_ws_mgr_frame_t *f,
    const u_char *p, uint64_t max, ngx_uint_t *close);
static ngx_int_t ngx_ws_mgr_frame_data(ngx_ws_mgr_frame_t *f, ngx_str_t *data,
    ngx_uint_t *close);


ngx_int_t
ngx_ws_mgr_frame_parse(ngx_ws_mgr_frame_t *f, u_char **pos, u_char *last,
    uint64_t max, ngx_str_t *data, ngx_uint_t *close)
{
    size_t     n;
    ngx_int_t  rc;

    if (!f->payload) {
        rc = ngx_ws_mgr_frame_head(f, pos, last, max, close);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    n = last - *pos;

    if (n >= f->u.body.rest) {
        n = (size_t) f->u.body.rest;

    } else if (n == 0) {
        return NGX_AGAIN;
    }

    data->data = *pos;
    data->len = n;

    ngx_ws_mgr_frame_mask(*pos, n, f->u.body.mask, f->nmask);

    *pos += n;
    f->nmask = (f->nmask + n) & 3;
    f->u.body.rest -= n;

    if (f->u.body.rest == 0) {
        f->payload = 0;
    }

    if (!ngx_ws_mgr_frame_control(f->opcode)) {
        return ngx_ws_mgr_frame_data(f, data, close);
    }

    return f->payload ? NGX_WS_MGR_FRAME_CONTROL_DATA
                      : NGX_WS_MGR_FRAME_CONTROL_END;
}


void
ngx_ws_mgr_frame_init(ngx_ws_mgr_frame_t *f)
{
    ngx_uint_t  deflate;

    deflate = f->deflate;

    ngx_memzero(f, sizeof(ngx_ws_mgr_frame_t));

    f->deflate = deflate & 1;
}


/* a header that is whole in the buffer is read where it is */

static ngx_int_t
ngx_ws_mgr_frame_head(ngx_ws_mgr_frame_t *f, u_char **pos, u_char *last,
    uint64_t max, ngx_uint_t *close)
{
    size_t   need;
    u_char  *p, head[sizeof(f->u.head)];

    p = *pos;

    if (f->nhead == 0 && last - p >= (ssize_t) sizeof(head)) {

        if (ngx_ws_mgr_frame_start(f, p) != NGX_OK) {
            *close = NGX_WS_MGR_CLOSE_PROTOCOL;
            return NGX_ERROR;
        }

        need = ngx_ws_mgr_frame_head_size(p[1] & NGX_WS_MGR_FRAME_LEN);
        *pos += need;

        return ngx_ws_mgr_frame_length(f, p, max, close);
    }

    if (f->nhead < 2) {

        if (ngx_ws_mgr_frame_gather(f, pos, last, 2) == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (ngx_ws_mgr_frame_start(f, f->u.head) != NGX_OK) {
            *close = NGX_WS_MGR_CLOSE_PROTOCOL;
            return NGX_ERROR;
        }
    }

    need = ngx_ws_mgr_frame_head_size(f->u.head[1] & NGX_WS_MGR_FRAME_LEN);

    if (ngx_ws_mgr_frame_gather(f, pos, last, need) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    /* "head" shares its memory with what is read from it */

    ngx_memcpy(head, f->u.head, sizeof(head));

    return ngx_ws_mgr_frame_length(f, head, max, close);
}


static ngx_int_t
ngx_ws_mgr_frame_gather(ngx_ws_mgr_frame_t *f, u_char **pos, u_char *last,
    size_t need)
{
    while (f->nhead < need) {

        if (*pos == last) {
            return NGX_AGAIN;
        }

        f->u.head[f->nhead++] = *(*pos)++;
    }

    return NGX_OK;
}


/* what the first two bytes say */

static ngx_int_t
ngx_ws_mgr_frame_start(ngx_ws_mgr_frame_t *f, const u_char *p)
{
    ngx_uint_t  rsv;

    rsv = p[0] & NGX_WS_MGR_FRAME_RSV;

    f->fin = (p[0] & NGX_WS_MGR_FRAME_FIN) ? 1 : 0;
    f->opcode = p[0] & 0xf;
    f->nmask = 0;

    if (!(p[1] & NGX_WS_MGR_FRAME_MASKED)) {
        return NGX_ERROR;
    }

    switch (f->opcode) {

    case NGX_WS_MGR_OP_TEXT:
    case NGX_WS_MGR_OP_BINARY:

        if (f->open || (rsv && (rsv != NGX_WS_MGR_FRAME_RSV1 || !f->deflate)))
        {
            return NGX_ERROR;
        }

        f->message = f->opcode & 0xf;
        f->open = 1;
        f->rsv1 = rsv ? 1 : 0;
        f->size = 0;
        f->utf8 = 0;
        f->known = 0;
        f->skip = 0;

        return NGX_OK;

    case NGX_WS_MGR_OP_CONTINUATION:

        return (f->open && rsv == 0) ? NGX_OK : NGX_ERROR;

    case NGX_WS_MGR_OP_CLOSE:
    case NGX_WS_MGR_OP_PING:
    case NGX_WS_MGR_OP_PONG:

        if (rsv || !f->fin
            || (p[1] & NGX_WS_MGR_FRAME_LEN) > NGX_WS_MGR_FRAME_CONTROL)
        {
            return NGX_ERROR;
        }

        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


/* p is a whole header, whose first two bytes were accepted */

static ngx_int_t
ngx_ws_mgr_frame_length(ngx_ws_mgr_frame_t *f, const u_char *p, uint64_t max,
    ngx_uint_t *close)
{
    uint64_t    len;
    ngx_uint_t  i;

    len = p[1] & NGX_WS_MGR_FRAME_LEN;
    p += 2;

    if (len == 126) {
        len = (uint64_t) p[0] << 8 | p[1];
        p += 2;

        if (len < 126) {
            *close = NGX_WS_MGR_CLOSE_PROTOCOL;
            return NGX_ERROR;
        }

    } else if (len == 127) {
        len = 0;

        for (i = 0; i < 8; i++) {
            len = len << 8 | *p++;
        }

        if (len < 65536 || len >> 63) {
            *close = NGX_WS_MGR_CLOSE_PROTOCOL;
            return NGX_ERROR;
        }
    }

    if (!ngx_ws_mgr_frame_control(f->opcode)) {

        if (f->rsv1) {
            max += ngx_ws_mgr_frame_growth(max);
        }

        if (f->size > max || len > max - f->size) {
            *close = NGX_WS_MGR_CLOSE_TOO_BIG;
            return NGX_ERROR;
        }

        f->size += len;
    }

    f->u.body.rest = len;
    ngx_memcpy(f->u.body.mask, p, sizeof(f->u.body.mask));
    f->payload = 1;
    f->nhead = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_frame_data(ngx_ws_mgr_frame_t *f, ngx_str_t *data,
    ngx_uint_t *close)
{
    ngx_uint_t  end;

    end = f->fin && !f->payload;

    if (end) {
        f->open = 0;
    }

    if (f->message == NGX_WS_MGR_OP_TEXT && !f->rsv1) {

        if (ngx_ws_mgr_frame_utf8(&f->utf8, data->data,
                                  data->data + data->len)
            != NGX_OK
            || (end && f->utf8))
        {
            *close = NGX_WS_MGR_CLOSE_INVALID;
            return NGX_ERROR;
        }
    }

    return end ? NGX_WS_MGR_FRAME_MESSAGE : NGX_WS_MGR_FRAME_DATA;
}


size_t
ngx_ws_mgr_frame_header_size(uint64_t len)
{
    return (len < 126) ? 2 : (len < 65536) ? 4 : 10;
}


u_char *
ngx_ws_mgr_frame_header(u_char *p, ngx_uint_t opcode, uint64_t len)
{
    ngx_int_t  shift;

    *p++ = (u_char) (NGX_WS_MGR_FRAME_FIN | opcode);

    if (len < 126) {
        *p++ = (u_char) len;
        return p;
    }

    if (len < 65536) {
        *p++ = 126;
        shift = 8;

    } else {
        *p++ = 127;
        shift = 56;
    }

    for ( /* void */ ; shift >= 0; shift -= 8) {
        *p++ = (u_char) (len >> shift);
    }

    return p;
}


u_char *
ngx_ws_mgr_frame_close(u_char *p, ngx_uint_t code, const char *reason)
{
    size_t  len;

    if (code == NGX_WS_MGR_CLOSE_NONE || code == NGX_WS_MGR_CLOSE_ABNORMAL) {
        return ngx_ws_mgr_frame_header(p, NGX_WS_MGR_OP_CLOSE, 0);
    }

    len = reason ? ngx_strlen(reason) : 0;
    len = ngx_min(len, NGX_WS_MGR_FRAME_CONTROL - 2);

    p = ngx_ws_mgr_frame_header(p, NGX_WS_MGR_OP_CLOSE, 2 + len);

    *p++ = (u_char) (code >> 8);
    *p++ = (u_char) code;

    return len ? ngx_cpymem(p, reason, len) : p;
}


ngx_uint_t
ngx_ws_mgr_frame_close_parse(ngx_str_t *payload, ngx_uint_t *answer)
{
    uint32_t    utf8;
    ngx_uint_t  code;

    if (payload->len == 0) {
        return NGX_WS_MGR_CLOSE_NONE;
    }

    *answer = NGX_WS_MGR_CLOSE_PROTOCOL;

    if (payload->len == 1) {
        return 0;
    }

    code = (ngx_uint_t) payload->data[0] << 8 | payload->data[1];

    /* 1004 to 1006 and 1015 are reserved; 1012 to 1014 are registered */

    if (code < 1000 || (code > 1003 && code < 1007)
        || (code > 1014 && code < 3000) || code > 4999)
    {
        return 0;
    }

    utf8 = 0;

    if (ngx_ws_mgr_frame_utf8(&utf8, payload->data + 2,
                              payload->data + payload->len)
        != NGX_OK
        || utf8)
    {
        *answer = NGX_WS_MGR_CLOSE_INVALID;
        return 0;
    }

    return code;
}


/* words by memcpy(), since nothing says that p is aligned */

void
ngx_ws_mgr_frame_mask(u_char *p, size_t len, const u_char mask[4],
    ngx_uint_t offset)
{
    u_char      key[4];
    uint32_t    half;
    uint64_t    k, w[4];
    ngx_uint_t  i;

    for (i = 0; i < 4; i++) {
        key[i] = mask[(offset + i) & 3];
    }

    ngx_memcpy(&half, key, 4);

    k = (uint64_t) half << 32 | half;

    while (len >= 32) {
        ngx_memcpy(w, p, 32);

        w[0] ^= k;
        w[1] ^= k;
        w[2] ^= k;
        w[3] ^= k;

        ngx_memcpy(p, w, 32);

        p += 32;
        len -= 32;
    }

    while (len >= 8) {
        ngx_memcpy(w, p, 8);
        w[0] ^= k;
        ngx_memcpy(p, w, 8);

        p += 8;
        len -= 8;
    }

    for (i = 0; i < len; i++) {
        p[i] ^= key[i & 3];
    }
}
