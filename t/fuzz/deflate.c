
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * permessage-deflate.  The first byte says how many of the next are chunk
 * sizes, the second what the rest is: a compressed message, of which whole and
 * chunked must give the same; or one to be compressed, for a window of 8 to 15
 * bits, which an inflater of that window must give back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <zlib.h>
#include <ngx_ws_mgr_deflate.h>


#define FUZZ_MOST  (1 << 20)           /* inflated bytes that are looked at */


/* what a message inflates to */

typedef struct {
    ngx_int_t   rc;                    /* NGX_DONE: more than FUZZ_MOST */
    size_t      len;
    u_char      data[FUZZ_MOST + 65536];
} fuzz_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_inflate(fuzz_t *fz, const uint8_t *data, size_t size,
    const uint8_t *sizes, size_t n);
static ngx_int_t fuzz_feed(fuzz_t *fz, ngx_ws_mgr_inflate_t *inf,
    const uint8_t *data, size_t size, ngx_uint_t final);
static void fuzz_deflate(ngx_uint_t window, const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          n;
    const uint8_t  *sizes, one[] = { 0 };
    static fuzz_t   whole, chunked;

    if (size < 2) {
        return 0;
    }

    n = data[0] % 16;

    if (size < 2 + n) {
        return 0;
    }

    sizes = n ? data + 2 : one;

    if (data[1] & 0x80) {
        fuzz_deflate(8 + data[1] % 8, data + 2 + n, size - 2 - n);
        return 0;
    }

    fuzz_inflate(&whole, data + 2 + n, size - 2 - n, NULL, 0);
    fuzz_inflate(&chunked, data + 2 + n, size - 2 - n, sizes, n ? n : 1);

    if (whole.rc != chunked.rc) {
        abort();
    }

    /* how much there was before an error depends on the chunks */

    if (whole.rc == NGX_OK
        && (whole.len != chunked.len
            || memcmp(whole.data, chunked.data, whole.len) != 0))
    {
        abort();
    }

    return 0;
}


static void
fuzz_inflate(fuzz_t *fz, const uint8_t *data, size_t size,
    const uint8_t *sizes, size_t n)
{
    size_t                 i, step;
    ngx_ws_mgr_inflate_t  *inf;

    inf = ngx_ws_mgr_inflate_begin();

    fz->len = 0;
    i = 0;

    do {
        step = n ? (size_t) sizes[i++ % n] % 64 + 1 : size;
        step = ngx_min(step, size);

        fz->rc = fuzz_feed(fz, inf, data, step, step == size);

        data += step;
        size -= step;

    } while (fz->rc == NGX_OK && size);

    ngx_ws_mgr_inflate_end(inf);
}


static ngx_int_t
fuzz_feed(fuzz_t *fz, ngx_ws_mgr_inflate_t *inf, const uint8_t *data,
    size_t size, ngx_uint_t final)
{
    u_char     *buf;
    ngx_int_t   rc;
    ngx_str_t   in, out;

    buf = malloc(size ? size : 1);
    memcpy(buf, data, size);

    in.data = buf;
    in.len = size;

    do {
        rc = ngx_ws_mgr_inflate(inf, &in, final, &out);

        if (rc != NGX_OK && rc != NGX_AGAIN) {
            break;
        }

        if (in.data + in.len != buf + size || (rc == NGX_OK && in.len)) {
            abort();
        }

        memcpy(fz->data + fz->len, out.data, out.len);
        fz->len += out.len;

        /* which of "too long" and "broken" comes first is the chunks' */

        if (fz->len > FUZZ_MOST) {
            rc = NGX_ERROR;
            break;
        }

    } while (rc == NGX_AGAIN);

    free(buf);

    return rc;
}


static void
fuzz_deflate(ngx_uint_t window, const uint8_t *data, size_t size)
{
    int        rc;
    size_t     n;
    u_char    *packed, *back;
    z_stream   z;

    packed = malloc(size ? size : 1);
    back = malloc(size + 1);

    n = ngx_ws_mgr_deflate(window, data, size, packed);

    if (n) {
        if (n + 4 > size) {
            abort();
        }

        memcpy(packed + n, "\x00\x00\xff\xff", 4);
        memset(&z, 0, sizeof(z));

        z.next_in = packed;
        z.avail_in = n + 4;
        z.next_out = back;

        if (inflateInit2(&z, - (int) window) != Z_OK) {
            abort();
        }

        /* a byte at a time, so that the window is what counts */

        do {
            z.avail_out = 1;
            rc = inflate(&z, Z_SYNC_FLUSH);

            if (rc != Z_OK && rc != Z_BUF_ERROR) {
                abort();
            }

        } while (z.avail_out == 0 && z.total_out <= size);

        if (z.total_out != size || memcmp(back, data, size) != 0) {
            abort();
        }

        (void) inflateEnd(&z);
    }

    free(packed);
    free(back);
}
