
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The frame parser.  The first byte says how many of the next are chunk
 * sizes, the second is the owner's choice of "deflate" and limit; the rest is
 * the stream.  Whole and chunked must tell the same, and each text must be
 * UTF-8 in the eyes of a plain decoder too.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_frame.h>


typedef struct {
    uint64_t             hash;         /* of all that was told */
    size_t               ctl_len;
    size_t               msg_len;
    u_char              *msg;
    u_char               ctl[NGX_WS_MGR_FRAME_CONTROL];
    ngx_ws_mgr_frame_t   frame;
    uint64_t             max;
} fuzz_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ngx_int_t fuzz_feed(fuzz_t *fz, const uint8_t *data, size_t size);
static void fuzz_told(fuzz_t *fz, ngx_int_t rc, ngx_str_t *data);
static void fuzz_mix(fuzz_t *fz, const u_char *p, size_t len);
static ngx_int_t fuzz_utf8(const u_char *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          i, n, step, pos;
    fuzz_t          whole, chunked;
    ngx_int_t       rc;
    const uint8_t  *sizes;

    if (size < 2) {
        return 0;
    }

    n = data[0] % 16;

    if (size < 2 + n) {
        return 0;
    }

    ngx_memzero(&whole, sizeof(fuzz_t));
    whole.frame.deflate = data[1] & 1;
    whole.max = (data[1] & 2) ? 16 : 1 << 20;
    whole.msg = malloc(size);
    chunked = whole;
    chunked.msg = malloc(size);

    sizes = data + 2;
    data += 2 + n;
    size -= 2 + n;

    (void) fuzz_feed(&whole, data, size);

    rc = NGX_AGAIN;

    for (pos = 0, i = 0; pos < size && rc == NGX_AGAIN; pos += step, i++) {
        step = n ? sizes[i % n] % 64 + 1 : 1;
        step = ngx_min(step, size - pos);

        rc = fuzz_feed(&chunked, data + pos, step);
    }

    if (whole.hash != chunked.hash) {
        abort();
    }

    free(whole.msg);
    free(chunked.msg);

    return 0;
}


static ngx_int_t
fuzz_feed(fuzz_t *fz, const uint8_t *data, size_t size)
{
    u_char      *buf, *pos;
    ngx_int_t    rc;
    ngx_str_t    payload;
    ngx_uint_t   close;

    if (size == 0) {
        return NGX_AGAIN;
    }

    buf = malloc(size);
    memcpy(buf, data, size);

    pos = buf;
    close = 0;

    do {
        rc = ngx_ws_mgr_frame_parse(&fz->frame, &pos, buf + size, fz->max,
                                    &payload, &close);

        if (rc > 0) {
            fuzz_told(fz, rc, &payload);
        }

    } while (rc > 0);

    if (rc == NGX_ERROR) {

        if (close != NGX_WS_MGR_CLOSE_PROTOCOL
            && close != NGX_WS_MGR_CLOSE_INVALID
            && close != NGX_WS_MGR_CLOSE_TOO_BIG)
        {
            abort();
        }

        fuzz_mix(fz, (u_char *) &close, sizeof(close));

    } else if (rc != NGX_AGAIN || pos != buf + size) {
        abort();
    }

    free(buf);

    return rc;
}


static void
fuzz_told(fuzz_t *fz, ngx_int_t rc, ngx_str_t *data)
{
    u_char               kind;
    uint64_t             most;
    ngx_str_t            payload;
    ngx_uint_t           answer;
    ngx_ws_mgr_frame_t  *f;

    f = &fz->frame;

    if (rc == NGX_WS_MGR_FRAME_DATA || rc == NGX_WS_MGR_FRAME_MESSAGE) {
        memcpy(fz->msg + fz->msg_len, data->data, data->len);
        fz->msg_len += data->len;

        most = f->rsv1 ? fz->max + fz->max / 16 + 64 : fz->max;

        if (fz->msg_len > most || fz->msg_len > f->size) {
            abort();
        }

    } else {
        memcpy(fz->ctl + fz->ctl_len, data->data, data->len);
        fz->ctl_len += data->len;
    }

    if (rc == NGX_WS_MGR_FRAME_MESSAGE) {

        if (fz->msg_len != f->size
            || (f->message == NGX_WS_MGR_OP_TEXT && !f->rsv1
                && fuzz_utf8(fz->msg, fz->msg_len) != NGX_OK))
        {
            abort();
        }

        kind = f->message | f->rsv1 << 4;
        fuzz_mix(fz, &kind, 1);
        fuzz_mix(fz, (u_char *) &fz->msg_len, sizeof(size_t));
        fuzz_mix(fz, fz->msg, fz->msg_len);
        fz->msg_len = 0;

    } else if (rc == NGX_WS_MGR_FRAME_CONTROL_END) {
        kind = f->opcode;
        payload.data = fz->ctl;
        payload.len = fz->ctl_len;

        if (kind == NGX_WS_MGR_OP_CLOSE) {
            (void) ngx_ws_mgr_frame_close_parse(&payload, &answer);
        }

        fuzz_mix(fz, &kind, 1);
        fuzz_mix(fz, (u_char *) &fz->ctl_len, sizeof(size_t));
        fuzz_mix(fz, fz->ctl, fz->ctl_len);
        fz->ctl_len = 0;
    }
}


static void
fuzz_mix(fuzz_t *fz, const u_char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        fz->hash = (fz->hash ^ p[i]) * 0x100000001b3;
    }
}


/* by code points */

static ngx_int_t
fuzz_utf8(const u_char *p, size_t len)
{
    size_t         i, n, k;
    uint32_t       c;
    const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

    for (i = 0; i < len; i += n) {
        c = p[i];
        n = (c < 0x80) ? 1 : (c >> 5 == 6) ? 2 : (c >> 4 == 14) ? 3
            : (c >> 3 == 30) ? 4 : 0;

        if (n == 0 || n > len - i) {
            return NGX_ERROR;
        }

        c &= (n == 1) ? 0x7f : 0xff >> (n + 1);

        for (k = 1; k < n; k++) {
            if (p[i + k] >> 6 != 2) {
                return NGX_ERROR;
            }

            c = c << 6 | (p[i + k] & 0x3f);
        }

        if (c < least[n - 1] || c > 0x10ffff || (c >> 11) == 27) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
