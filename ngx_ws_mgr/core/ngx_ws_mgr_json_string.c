
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json_string.h>


static u_char *ngx_ws_mgr_string_utf8(ngx_ws_mgr_string_t *s, u_char *p,
    u_char *end);
static u_char *ngx_ws_mgr_string_escape(ngx_ws_mgr_string_t *s, u_char *p,
    u_char *end);
static u_char *ngx_ws_mgr_string_fail(ngx_ws_mgr_string_t *s, u_char *where,
    const char *error);


/* what may stand in a string as it is: 0x20 to 0x7f without '"' and '\\' */

static const uint32_t  ngx_ws_mgr_string_plain[] = {
    0x00000000, 0xfffffffb, 0xefffffff, 0xffffffff,
    0x00000000, 0x00000000, 0x00000000, 0x00000000
};


static ngx_inline int32_t
ngx_ws_mgr_string_hex4(u_char *p)
{
    int32_t     n;
    u_char      c;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            n = n * 16 + (c - '0');
            continue;
        }

        c |= 0x20;

        if (c < 'a' || c > 'f') {
            return -1;
        }

        n = n * 16 + (c - 'a' + 10);
    }

    return n;
}


u_char *
ngx_ws_mgr_string_scan_rest(ngx_ws_mgr_string_t *s, u_char *p, u_char *end)
{
    for ( ;; ) {

        while (p < end
               && (ngx_ws_mgr_string_plain[*p >> 5] & (1U << (*p & 0x1f))))
        {
            p++;
        }

        if (p == end) {
            return ngx_ws_mgr_string_fail(s, s->where,
                                          "string without an end");
        }

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\') {
            s->escaped = 1;
            p = ngx_ws_mgr_string_escape(s, p, end);

        } else if (*p < 0x20) {
            return ngx_ws_mgr_string_fail(s, p,
                                          "control character in a string");

        } else {
            p = ngx_ws_mgr_string_utf8(s, p, end);
        }

        if (p == NULL) {
            return NULL;
        }

        p = ngx_ws_mgr_string_run(p, end);
    }
}


/* RFC 3629: no overlong forms, no surrogates, at most U+10FFFF */

static u_char *
ngx_ws_mgr_string_utf8(ngx_ws_mgr_string_t *s, u_char *p, u_char *end)
{
    u_char      c, low, high;
    ngx_uint_t  i, n;

    do {
        c = *p;
        low = 0x80;
        high = 0xbf;

        if (c >= 0xc2 && c <= 0xdf) {
            n = 2;

        } else if (c >= 0xe0 && c <= 0xef) {
            n = 3;
            low = (c == 0xe0) ? 0xa0 : low;
            high = (c == 0xed) ? 0x9f : high;

        } else if (c >= 0xf0 && c <= 0xf4) {
            n = 4;
            low = (c == 0xf0) ? 0x90 : low;
            high = (c == 0xf4) ? 0x8f : high;

        } else {
            return ngx_ws_mgr_string_fail(s, p, "not UTF-8");
        }

        if ((size_t) (end - p) < n || p[1] < low || p[1] > high) {
            return ngx_ws_mgr_string_fail(s, p, "not UTF-8");
        }

        for (i = 2; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return ngx_ws_mgr_string_fail(s, p, "not UTF-8");
            }
        }

        p += n;

    } while (p < end && *p >= 0x80);

    return p;
}


static u_char *
ngx_ws_mgr_string_escape(ngx_ws_mgr_string_t *s, u_char *p, u_char *end)
{
    int32_t  c;

    if (end - p < 2) {
        return ngx_ws_mgr_string_fail(s, p, "string without an end");
    }

    switch (p[1]) {

    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;

    case 'u':
        break;

    default:
        return ngx_ws_mgr_string_fail(s, p, "unknown escape in a string");
    }

    c = (end - p < 6) ? -1 : ngx_ws_mgr_string_hex4(p + 2);

    if (c == -1) {
        return ngx_ws_mgr_string_fail(s, p,
                                    "expected four hexadecimal digits");
    }

    if (c < 0xd800 || c > 0xdfff) {
        return p + 6;
    }

    if (c > 0xdbff
        || end - p < 12
        || p[6] != '\\'
        || p[7] != 'u'
        || (ngx_ws_mgr_string_hex4(p + 8) & ~0x3ff) != 0xdc00)
    {
        return ngx_ws_mgr_string_fail(s, p, "unpaired surrogate in a string");
    }

    return p + 12;
}


u_char *
ngx_ws_mgr_string_decode(u_char *dst, u_char *p, u_char *last)
{
    int32_t  c;

    while (p < last) {

        if (*p != '\\') {
            *dst++ = *p++;
            continue;
        }

        c = p[1];
        p += 2;

        switch (c) {

        case 'b':
            *dst++ = '\b';
            break;

        case 'f':
            *dst++ = '\f';
            break;

        case 'n':
            *dst++ = '\n';
            break;

        case 'r':
            *dst++ = '\r';
            break;

        case 't':
            *dst++ = '\t';
            break;

        case 'u':
            c = ngx_ws_mgr_string_hex4(p);
            p += 4;

            if (c < 0x80) {
                *dst++ = (u_char) c;
                break;
            }

            if (c < 0x800) {
                *dst++ = (u_char) (0xc0 | (c >> 6));
                *dst++ = (u_char) (0x80 | (c & 0x3f));
                break;
            }

            if (c >= 0xd800 && c <= 0xdfff) {
                c = 0x10000 + ((c & 0x3ff) << 10)
                    + (ngx_ws_mgr_string_hex4(p + 2) & 0x3ff);
                p += 6;

                *dst++ = (u_char) (0xf0 | (c >> 18));
                *dst++ = (u_char) (0x80 | ((c >> 12) & 0x3f));

            } else {
                *dst++ = (u_char) (0xe0 | (c >> 12));
            }

            *dst++ = (u_char) (0x80 | ((c >> 6) & 0x3f));
            *dst++ = (u_char) (0x80 | (c & 0x3f));
            break;

        default:
            *dst++ = (u_char) c;
        }
    }

    return dst;
}


static u_char *
ngx_ws_mgr_string_fail(ngx_ws_mgr_string_t *s, u_char *where,
    const char *error)
{
    s->where = where;
    s->error = error;

    return NULL;
}
