
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <zlib.h>
#include <ngx_ws_mgr_deflate.h>


#define LARGE  300000


static u_char  source[LARGE], packed[LARGE], back[LARGE];


/* text with repetitions at any distance, or noise */

static void
fill(u_char *p, size_t len, unsigned seed, ngx_uint_t noise)
{
    size_t  i, from, n;

    srand(seed);

    for (i = 0; i < len; /* void */ ) {

        if (noise || i < 16 || rand() % 4 == 0) {
            p[i++] = noise ? rand() : 'a' + rand() % 26;
            continue;
        }

        from = rand() % i;

        for (n = 3 + rand() % 40; n && i < len; n--) {
            p[i++] = p[from++];
        }
    }
}


/* by zlib itself, with no larger a window than the peer may have: a byte at a
   time, since what lies in the same buffer is not looked up in the window */

static size_t
peer_inflate(ngx_uint_t window, u_char *p, size_t len)
{
    int              rc;
    z_stream         z;
    static u_char    tail[] = { 0, 0, 0xff, 0xff };

    memset(&z, 0, sizeof(z));
    assert_int_equal(inflateInit2(&z, - (int) window), Z_OK);

    memcpy(p + len, tail, sizeof(tail));

    z.next_in = p;
    z.avail_in = len + sizeof(tail);
    z.next_out = back;

    do {
        z.avail_out = 1;
        rc = inflate(&z, Z_SYNC_FLUSH);

        if (rc != Z_OK && rc != Z_BUF_ERROR) {
            fail_msg("window %u: %d %s", (unsigned) window, rc, z.msg);
        }

    } while (z.avail_out == 0);

    assert_int_equal(z.avail_in, 0);

    len = z.total_out;
    (void) inflateEnd(&z);

    return len;
}


static void
test_deflate(void **state)
{
    size_t      len, n, made;
    ngx_uint_t  window, round;

    (void) state;

    made = 0;

    for (window = 8; window <= 15; window++) {
        for (round = 0; round < 40; round++) {
            len = 1 + round * round * 150 % LARGE;

            fill(source, len, window * 100 + round, 0);
            memset(packed, 0xee, sizeof(packed));

            n = ngx_ws_mgr_deflate(window, source, len, packed);

            assert_true(n < len);
            assert_int_equal(packed[len], 0xee);

            if (n) {
                made++;
                assert_int_equal(peer_inflate(window, packed, n), len);
                assert_memory_equal(back, source, len);
            }
        }
    }

    assert_true(made > 250);
}


static void
test_noise(void **state)
{
    size_t  len;

    (void) state;

    for (len = 1; len < 3000; len += 37) {
        fill(source, len, len, 1);
        memset(packed, 0xee, sizeof(packed));

        assert_int_equal(ngx_ws_mgr_deflate(15, source, len, packed), 0);
        assert_int_equal(packed[len], 0xee);
    }

    /* and after it all is well */

    memset(source, 'x', 1000);
    len = ngx_ws_mgr_deflate(15, source, 1000, packed);
    assert_in_range(len, 1, 30);
    assert_int_equal(peer_inflate(15, packed, len), 1000);
}


/* inflates in pieces of "step" bytes into back; the result of the last */

static ngx_int_t
inflate_all(const u_char *p, size_t len, size_t step, size_t *n)
{
    u_char                *piece;
    ngx_int_t              rc;
    ngx_str_t              in, out;
    ngx_uint_t             final;
    ngx_ws_mgr_inflate_t  *inf;

    inf = ngx_ws_mgr_inflate_begin();
    assert_non_null(inf);

    *n = 0;
    rc = NGX_OK;

    do {
        step = ngx_min(step, len);
        final = (step == len);

        piece = malloc(step ? step : 1);
        memcpy(piece, p, step);

        in.data = piece;
        in.len = step;

        do {
            rc = ngx_ws_mgr_inflate(inf, &in, final, &out);

            if (rc == NGX_OK || rc == NGX_AGAIN) {
                assert_true(*n + out.len <= sizeof(back));
                memcpy(back + *n, out.data, out.len);
                *n += out.len;
            }

        } while (rc == NGX_AGAIN);

        assert_true(rc != NGX_OK || in.len == 0);

        free(piece);
        p += step;
        len -= step;

    } while (rc == NGX_OK && !final);

    ngx_ws_mgr_inflate_end(inf);

    return rc;
}


static void
test_inflate(void **state)
{
    size_t      len, n, got;
    ngx_uint_t  i;

    static const size_t  steps[] = { LARGE, 1, 7, 4096 };

    (void) state;

    for (len = 1; len < LARGE; len = len * 3 + 1) {
        fill(source, len, len, 0);

        n = ngx_ws_mgr_deflate(15, source, len, packed);
        if (n == 0) {
            continue;
        }

        for (i = 0; i < 4; i++) {
            assert_int_equal(inflate_all(packed, n, steps[i], &got), NGX_OK);
            assert_int_equal(got, len);
            assert_memory_equal(back, source, len);
        }
    }
}


/* examples of RFC 7692 section 7.2.3, and what is broken */

static void
test_payloads(void **state)
{
    size_t      n, step;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *bytes;
        size_t       len;
        const char  *text;             /* NULL: an error */
    } rows[] = {
        { "7.2.3.1, one block", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello" },
        { "7.2.3.3, no compression",
          "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello" },
        { "7.2.3.4, BFINAL", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello" },
        { "BFINAL and no more", "\xf3\x48\xcd\xc9\xc9\x07\x00", 7, "Hello" },
        { "7.2.3.5, two blocks",
          "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13,
          "Hello" },
        { "7.2.3.6, empty", "\x00", 1, "" },
        { "nothing at all", "", 0, "" },
        { "two streams", "\xf3\x48\xcd\xc9\xc9\x07\x00"
                         "\xf3\x48\xcd\xc9\xc9\x07\x00", 14, "HelloHello" },
        { "a window that is not there", "\xf2\x00\x11\x00\x00", 5, NULL },
        { "a block of the reserved type", "\x06\x00", 2, NULL },
        { "a stored block with a wrong length", "\x00\x05\x00\x00\x00", 5,
          NULL },
        { "the end in a block", "\xf2\x48\xcd", 3, NULL },
        { "the end in a stored block", "\x00\x05\x00\xfa\xff\x48", 6, NULL },
        { "the end in a stored length", "\x00\x05", 2, NULL },
        { "the end in a table of codes", "\x1c\x96\x07\x6e", 4, NULL },
        { "noise", "\xff\xff\xff\xff\xff", 5, NULL },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (step = 1; step < 16; step++) {
            rc = inflate_all((u_char *) rows[i].bytes, rows[i].len, step, &n);

            if (rows[i].text == NULL) {
                if (rc != NGX_ERROR) {
                    fail_msg("%s, by %d: no error", rows[i].name, (int) step);
                }

                continue;
            }

            if (rc != NGX_OK || n != strlen(rows[i].text)
                || memcmp(back, rows[i].text, n) != 0)
            {
                fail_msg("%s, by %d: %d", rows[i].name, (int) step, (int) rc);
            }
        }
    }
}


/* no part of a message is one, wherever it ends: none of zlib's blocks ends
   where a byte does, but for the last */

static void
test_cut(void **state)
{
    size_t     n, got;
    z_stream   z;

    (void) state;

    fill(source, 3000, 1, 0);

    memset(&z, 0, sizeof(z));
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9,
                                  Z_DEFAULT_STRATEGY), Z_OK);

    z.next_in = source;
    z.avail_in = 3000;
    z.next_out = packed;
    z.avail_out = sizeof(packed);

    assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);

    n = z.total_out - 4;
    (void) deflateEnd(&z);

    assert_int_equal(inflate_all(packed, n, n, &got), NGX_OK);
    assert_int_equal(got, 3000);

    for (n--; n > 0; n--) {
        if (inflate_all(packed, n, n, &got) != NGX_ERROR) {
            fail_msg("the first %d bytes are taken for a message", (int) n);
        }
    }
}


/* two messages at once have each their own state */

static void
test_two(void **state)
{
    ngx_str_t              in, out;
    ngx_ws_mgr_inflate_t  *one, *two;

    static u_char  hello[] = { 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00 };

    (void) state;

    one = ngx_ws_mgr_inflate_begin();
    two = ngx_ws_mgr_inflate_begin();
    assert_ptr_not_equal(one, two);

    in.data = hello;
    in.len = 3;
    assert_int_equal(ngx_ws_mgr_inflate(one, &in, 0, &out), NGX_OK);

    in.data = hello;
    in.len = 7;
    assert_int_equal(ngx_ws_mgr_inflate(two, &in, 1, &out), NGX_OK);
    assert_int_equal(out.len, 5);

    ngx_ws_mgr_inflate_end(two);

    in.data = hello + 3;
    in.len = 4;
    assert_int_equal(ngx_ws_mgr_inflate(one, &in, 1, &out), NGX_OK);
    assert_true(out.len > 0);

    ngx_ws_mgr_inflate_end(one);
}


int
ngx_ws_mgr_unit_deflate(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_deflate),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_inflate),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_two)
    };

    return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
