
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <ngx_ws_mgr_frame.h>


#define MAX  100000


/*
 * What a parser makes of a stream is written down: "T5:hello " for a text
 * message, "B", "P" (ping), "O" (pong), "C" (close) alike, "!1002" for an
 * error.  The payload is masked with 1 2 3 4 before it is parsed.
 */

typedef struct {
    const char  *name;
    const char  *hex;              /* frames without masks: see build() */
    const char  *told;
} frame_case_t;


static const frame_case_t  cases[] = {

    { "an empty text", "81 00", "T0: " },
    { "a text", "81 05 68656c6c6f", "T5:hello " },
    { "a binary", "82 02 ff00", "B2:.. " },
    { "two frames in one buffer", "81 01 61 81 01 62", "T1:a T1:b " },
    { "fragments", "01 01 61 00 01 62 80 01 63", "T3:abc " },
    { "empty fragments", "01 00 00 00 80 00", "T0: " },
    { "a ping in a message", "01 01 61 89 01 70 80 01 62", "P1:p T2:ab " },
    { "a close in a message", "01 01 61 88 02 03e8 80 01 62",
      "C2:.. T2:ab " },
    { "an empty ping", "89 00", "P0: " },
    { "a pong", "8a 02 7172", "O2:qr " },

    { "length 126", "81 7e 007e 61*126", "T126 " },
    { "length 65536", "82 7f 0000000000010000 61*65536", "B65536 " },
    { "length 125 in two bytes", "81 7e 007d 61*125", "!1002" },
    { "length 65535 in eight bytes", "81 7f 000000000000ffff", "!1002" },
    { "length with the top bit", "82 7f 8000000000000000", "!1002" },
    { "length 2^63 - 1", "82 7f 7fffffffffffffff", "!1009" },
    { "the limit", "82 7f 00000000000186a0 61*100000", "B100000 " },
    { "one more, without its data", "82 7f 00000000000186a1", "!1009" },
    { "more in sum", "02 7f 00000000000186a0 61*100000 80 01", "!1009" },
    { "nothing more in sum", "02 7f 00000000000186a0 61*100000 80 00",
      "B100000 " },

    { "RSV1", "c1 01 61", "!1002" },
    { "RSV2", "a1 01 61", "!1002" },
    { "RSV3", "91 01 61", "!1002" },
    { "RSV3 of a ping", "99 00", "!1002" },
    { "RSV1 of a continuation", "01 01 61 c0 01 62", "!1002" },
    { "opcode 3", "83 00", "!1002" },
    { "opcode 7", "87 00", "!1002" },
    { "opcode 11", "8b 00", "!1002" },
    { "opcode 15", "8f 00", "!1002" },
    { "a fragmented ping", "09 00", "!1002" },
    { "a fragmented close", "08 00", "!1002" },
    { "a ping of 125", "89 7d 61*125", "P125 " },
    { "a ping of 126", "89 7e 007e", "!1002" },
    { "a continuation of nothing", "80 01 61", "!1002" },
    { "a continuation after the end", "81 01 61 80 01 62", "T1:a !1002" },
    { "a text within a message", "01 01 61 81 01 62", "!1002" },
    { "a binary within a message", "02 01 61 82 01 62", "!1002" },

    { "UTF-8", "81 0b cebae1bdb9cf83cebcceb5", "T11:........... " },
    { "UTF-8 split over frames", "01 01 ce 00 00 80 01 ba", "T2:.. " },
    { "UTF-8 split by a ping", "01 03 f09f98 89 00 80 01 80",
      "P0: T4:.... " },
    { "UTF-8 that does not end", "81 01 ce", "!1007" },
    { "UTF-8 that does not end, fragmented", "01 01 ce 80 00", "!1007" },
    { "a surrogate", "81 03 eda080", "!1007" },
    { "overlong, two bytes", "81 02 c0af", "!1007" },
    { "overlong, three bytes", "81 03 e08080", "!1007" },
    { "overlong, four bytes", "81 04 f0808080", "!1007" },
    { "above U+10FFFF", "81 04 f4908080", "!1007" },
    { "five bytes", "81 05 f888808080", "!1007" },
    { "a lone continuation byte", "81 01 80", "!1007" },
    { "fails before the message ends", "01 04 f4900000", "!1007" },
    { "binary may be anything", "82 04 f4908080", "B4:.... " },
    { "state is new in each message", "82 01 ce 81 01 61", "B1:. T1:a " },
    { "noncharacters are legal", "81 03 efbfbf", "T3:... " },
    { "BOM and NUL are legal", "81 04 efbbbf00", "T4:.... " }
};


static int
hexval(char c)
{
    return (c <= '9') ? c - '0' : c - 'a' + 10;
}


/*
 * Hex bytes; "xx*n" repeats.  White space after a frame's length separates:
 * the mask goes before the payload, whose length build() reads.
 */

static size_t
plain(u_char *p, const char *hex)
{
    int      n;
    u_char  *start;

    start = p;

    while (*hex) {

        if (*hex == ' ') {
            hex++;
            continue;
        }

        *p++ = hexval(hex[0]) << 4 | hexval(hex[1]);
        hex += 2;

        if (*hex == '*') {
            n = strtol(hex + 1, (char **) &hex, 10);
            memset(p, p[-1], n - 1);
            p += n - 1;
        }
    }

    return p - start;
}


static size_t
build(u_char *p, const char *hex)
{
    int            i;
    size_t         left, n, head;
    u_char        *start;
    uint64_t       len;
    static u_char  src[2 * MAX];

    left = plain(src, hex);
    start = p;

    for (n = 0; n < left; n += len) {
        head = (src[n + 1] < 126) ? 2 : (src[n + 1] == 126) ? 4 : 10;
        len = src[n + 1];

        if (head > 2) {
            len = 0;

            for (i = 2; i < (int) head; i++) {
                len = len << 8 | src[n + i];
            }
        }

        memcpy(p, src + n, head);
        p[1] |= 0x80;
        p += head;
        n += head;

        memcpy(p, "\1\2\3\4", 4);
        p += 4;

        len = ngx_min(len, left - n);

        for (i = 0; i < (int) len; i++) {
            *p++ = src[n + i] ^ (1 + i % 4);
        }
    }

    return p - start;
}


static char *
told(char *t, char kind, const u_char *p, size_t len)
{
    size_t  i;

    t += sprintf(t, "%c%zu", kind, len);

    if (len < 16) {
        *t++ = ':';

        for (i = 0; i < len; i++) {
            *t++ = (p[i] > 0x20 && p[i] < 0x7f) ? p[i] : '.';
        }
    }

    *t++ = ' ';
    *t = '\0';

    return t;
}


/* feeds chunks of n bytes, each in memory of its own; 0: of random sizes */

static void
feed(ngx_ws_mgr_frame_t *f, const u_char *p, size_t len, size_t n, char *t)
{
    size_t         left, nmsg, nctl, size;
    u_char        *chunk, *pos;
    ngx_int_t      rc;
    ngx_str_t      data;
    ngx_uint_t     close;
    static u_char  msg[2 * MAX], ctl[128];

    nmsg = 0;
    nctl = 0;
    *t = '\0';

    for (left = len; left; left -= size, p += size) {
        size = n ? n : (size_t) (1 + random() % 40);
        size = ngx_min(left, size);

        chunk = malloc(size);
        memcpy(chunk, p, size);
        pos = chunk;

        do {
            rc = ngx_ws_mgr_frame_parse(f, &pos, chunk + size, MAX, &data,
                                        &close);

            if (rc == NGX_WS_MGR_FRAME_DATA || rc == NGX_WS_MGR_FRAME_MESSAGE)
            {
                memcpy(msg + nmsg, data.data, data.len);
                nmsg += data.len;

            } else if (rc > 0) {
                memcpy(ctl + nctl, data.data, data.len);
                nctl += data.len;
            }

            if (rc == NGX_WS_MGR_FRAME_MESSAGE) {
                assert_int_equal(f->size, nmsg);
                t = told(t, f->message == 1 ? 'T' : 'B', msg, nmsg);
                nmsg = 0;

            } else if (rc == NGX_WS_MGR_FRAME_CONTROL_END) {
                t = told(t, f->opcode == 8 ? 'C' : f->opcode == 9 ? 'P' : 'O',
                         ctl, nctl);
                nctl = 0;
            }

        } while (rc > 0);

        if (rc == NGX_AGAIN) {
            assert_ptr_equal(pos, chunk + size);
        }

        free(chunk);

        if (rc == NGX_ERROR) {
            sprintf(t, "!%d", (int) close);
            return;
        }
    }
}


static void
test_cases(void **state)
{
    char                t[1024];
    size_t              len, i, n;
    ngx_ws_mgr_frame_t  f;
    static u_char       buf[2 * MAX];

    (void) state;

    memset(&f, 0, sizeof(f));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = build(buf, cases[i].hex);

        for (n = 0; n < 40; n++) {
            ngx_ws_mgr_frame_init(&f);
            feed(&f, buf, len, (n == 39) ? len : n, t);

            if (strcmp(t, cases[i].told) != 0) {
                fail_msg("%s, in chunks of %zu: \"%s\", not \"%s\"",
                         cases[i].name, n, t, cases[i].told);
            }
        }
    }
}


static void
test_unmasked(void **state)
{
    char                t[64];
    ngx_ws_mgr_frame_t  f;

    (void) state;

    memset(&f, 0, sizeof(f));
    feed(&f, (u_char *) "\x81\x01\x61", 3, 1, t);
    assert_string_equal(t, "!1002");

    ngx_ws_mgr_frame_init(&f);
    feed(&f, (u_char *) "\x89\x00", 2, 2, t);
    assert_string_equal(t, "!1002");
}


static void
test_deflate(void **state)
{
    char                t[64];
    u_char              buf[64];
    size_t              len;
    ngx_ws_mgr_frame_t  f;

    (void) state;

    memset(&f, 0, sizeof(f));
    f.deflate = 1;

    /* the bytes are not text before they are inflated */

    len = build(buf, "41 01 ff 89 00 80 01 ff");
    feed(&f, buf, len, 1, t);
    assert_string_equal(t, "P0: T2:.. ");
    assert_true(f.rsv1);

    len = build(buf, "81 01 61");
    feed(&f, buf, len, 1, t);
    assert_string_equal(t, "T1:a ");
    assert_false(f.rsv1);

    ngx_ws_mgr_frame_init(&f);
    assert_true(f.deflate);

    len = build(buf, "01 01 61 c0 01 62");
    feed(&f, buf, len, 1, t);
    assert_string_equal(t, "!1002");

    ngx_ws_mgr_frame_init(&f);

    len = build(buf, "c9 00");
    feed(&f, buf, len, 1, t);
    assert_string_equal(t, "!1002");
}


static void
test_mask(void **state)
{
    u_char        *p, mask[4] = { 0x5a, 0x01, 0xff, 0x80 };
    size_t         len, i, offset, align;
    static u_char  src[300];

    (void) state;

    for (i = 0; i < sizeof(src); i++) {
        src[i] = i * 7;
    }

    p = malloc(sizeof(src) + 8);

    for (len = 0; len < 200; len++) {
        for (offset = 0; offset < 5; offset++) {
            align = (len + offset) % 8;

            memcpy(p + align, src, len + 1);
            ngx_ws_mgr_frame_mask(p + align, len, mask, offset);

            for (i = 0; i < len; i++) {
                assert_int_equal(p[align + i],
                                 src[i] ^ mask[(offset + i) % 4]);
            }

            assert_int_equal(p[align + len], src[len]);
        }
    }

    free(p);
}


static size_t
encode(u_char *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = c;
        return 1;
    }

    if (c < 0x800) {
        p[0] = 0xc0 | c >> 6;
        p[1] = 0x80 | (c & 0x3f);
        return 2;
    }

    if (c < 0x10000) {
        p[0] = 0xe0 | c >> 12;
        p[1] = 0x80 | (c >> 6 & 0x3f);
        p[2] = 0x80 | (c & 0x3f);
        return 3;
    }

    p[0] = 0xf0 | c >> 18;
    p[1] = 0x80 | (c >> 12 & 0x3f);
    p[2] = 0x80 | (c >> 6 & 0x3f);
    p[3] = 0x80 | (c & 0x3f);

    return 4;
}


/* each code point, and none above, behind 0 to 40 bytes of ASCII */

static void
test_utf8(void **state)
{
    size_t     n, lead;
    u_char     buf[64];
    uint32_t   c, s;
    ngx_int_t  rc, want;

    (void) state;

    memset(buf, 'x', sizeof(buf));

    for (c = 0; c < 0x1fffff; c++) {
        lead = c % 40;
        n = encode(buf + lead, c);
        want = (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) ? NGX_ERROR
                                                              : NGX_OK;
        s = 0;
        rc = ngx_ws_mgr_frame_utf8(&s, buf, buf + lead + n);

        if (rc != want || (rc == NGX_OK && s)) {
            fail_msg("U+%x: %d", c, (int) rc);
        }

        s = 0;
        rc = ngx_ws_mgr_frame_utf8(&s, buf, buf + lead + n - 1);

        if (n > 1 && rc == NGX_OK && s == 0) {
            fail_msg("U+%x is complete too soon", c);
        }

        memset(buf + lead, 'x', n);
    }
}


static void
test_header(void **state)
{
    u_char    buf[16];
    uint64_t  len;

    (void) state;

    static const struct {
        uint64_t     len;
        const char  *bytes;
        size_t       size;
    } rows[] = {
        { 0, "\x81\x00", 2 },
        { 125, "\x81\x7d", 2 },
        { 126, "\x81\x7e\x00\x7e", 4 },
        { 65535, "\x81\x7e\xff\xff", 4 },
        { 65536, "\x81\x7f\0\0\0\0\0\1\0\0", 10 }
    };

    for (len = 0; len < 5; len++) {
        assert_ptr_equal(ngx_ws_mgr_frame_header(buf, NGX_WS_MGR_OP_TEXT,
                                                 rows[len].len),
                         buf + rows[len].size);
        assert_memory_equal(buf, rows[len].bytes, rows[len].size);
        assert_int_equal(ngx_ws_mgr_frame_header_size(rows[len].len),
                         rows[len].size);
    }
}


static void
test_close(void **state)
{
    char        text[201];
    u_char      buf[127];
    ngx_str_t   payload;
    ngx_uint_t  code, answer, legal;

    (void) state;

    assert_ptr_equal(ngx_ws_mgr_frame_close(buf, 1000, "bye"), buf + 7);
    assert_memory_equal(buf, "\x88\x05\x03\xe8" "bye", 7);

    assert_ptr_equal(ngx_ws_mgr_frame_close(buf, 1000, NULL), buf + 4);
    assert_ptr_equal(ngx_ws_mgr_frame_close(buf, 1005, "no"), buf + 2);
    assert_ptr_equal(ngx_ws_mgr_frame_close(buf, 1006, "no"), buf + 2);
    assert_memory_equal(buf, "\x88\x00", 2);

    memset(text, 'x', 200);
    text[200] = '\0';
    assert_ptr_equal(ngx_ws_mgr_frame_close(buf, 1000, text), buf + 127);

    payload.data = buf;
    payload.len = 0;
    assert_int_equal(ngx_ws_mgr_frame_close_parse(&payload, &answer), 1005);

    payload.len = 1;
    assert_int_equal(ngx_ws_mgr_frame_close_parse(&payload, &answer), 0);
    assert_int_equal(answer, 1002);

    payload.len = 2;

    for (code = 0; code < 65536; code++) {
        buf[0] = code >> 8;
        buf[1] = code;
        legal = (code >= 1000 && code <= 1003)
                || (code >= 1007 && code <= 1014)
                || (code >= 3000 && code <= 4999);

        assert_int_equal(ngx_ws_mgr_frame_close_parse(&payload, &answer),
                         legal ? code : 0);
    }

    memcpy(buf, "\x03\xe8\xce\xba\xce", 5);
    payload.len = 4;
    assert_int_equal(ngx_ws_mgr_frame_close_parse(&payload, &answer), 1000);

    payload.len = 5;
    assert_int_equal(ngx_ws_mgr_frame_close_parse(&payload, &answer), 0);
    assert_int_equal(answer, 1007);
}


int
ngx_ws_mgr_unit_frame(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_unmasked),
        cmocka_unit_test(test_deflate),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_close)
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
