
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Strings of JSON (RFC 8259 section 7): validation and decoding.
 */


#ifndef _NGX_WS_MGR_JSON_STRING_H_INCLUDED_
#define _NGX_WS_MGR_JSON_STRING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#if (__SSE2__)
#include <emmintrin.h>
#endif


typedef struct {
    u_char        *where;
    const char    *error;                  /* static text */
    ngx_uint_t     escaped;                /* the string has escapes */
} ngx_ws_mgr_string_t;


/* a byte in each of eight */
#define NGX_WS_MGR_STRING_EACH(c)  (0x0101010101010101ULL * (c))


/* the rest of a scan: escapes, UTF-8, the end of the text */
u_char *ngx_ws_mgr_string_scan_rest(ngx_ws_mgr_string_t *s, u_char *p,
    u_char *end);

/*
 * The inside of a valid string as UTF-8 at dst, which has room for as many
 * bytes; returns the end of what it wrote.
 */
u_char *ngx_ws_mgr_string_decode(u_char *dst, u_char *p, u_char *last);


/*
 * Bytes that may not stand in a string as they are have their high bit set;
 * exact for the lowest such byte, since what is below it borrows nothing.
 */

static ngx_inline uint64_t
ngx_ws_mgr_string_special(uint64_t w)
{
    return ((w - NGX_WS_MGR_STRING_EACH(0x20))
            | ((w ^ NGX_WS_MGR_STRING_EACH('"')) - NGX_WS_MGR_STRING_EACH(1))
            | ((w ^ NGX_WS_MGR_STRING_EACH('\\')) - NGX_WS_MGR_STRING_EACH(1))
            | w)
           & NGX_WS_MGR_STRING_EACH(0x80);
}


/*
 * Sixteen bytes or eight at a time over what may stand in a string as it is.
 * It may stop early: the caller looks at the byte.
 */

static ngx_inline u_char *
ngx_ws_mgr_string_run(u_char *p, u_char *end)
{
    uint64_t  w;

#if (__SSE2__)

    int       mask;
    __m128i   v;

    while (end - p >= 16) {
        v = _mm_loadu_si128((const __m128i *) p);

        /* compared as signed: control characters and what is not ASCII */

        mask = _mm_movemask_epi8(
                   _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                   _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')))));

        if (mask) {
            return p + __builtin_ctz(mask);
        }

        p += 16;
    }

#endif

    while (end - p >= 8) {
        ngx_memcpy(&w, p, 8);

        w = ngx_ws_mgr_string_special(w);

        if (w) {
#if (NGX_HAVE_LITTLE_ENDIAN && __GNUC__)
            p += __builtin_ctzll(w) >> 3;
#endif
            break;
        }

        p += 8;
    }

    return p;
}


/*
 * From behind the opening quote to behind the closing one.  UTF-8 is checked,
 * and that surrogates are in pairs.  NULL: s->where and s->error are set.
 */

static ngx_inline u_char *
ngx_ws_mgr_string_scan(ngx_ws_mgr_string_t *s, u_char *p, u_char *end)
{
    s->escaped = 0;
    s->where = p - 1;

    p = ngx_ws_mgr_string_run(p, end);

    if (p < end && *p == '"') {
        return p + 1;
    }

    return ngx_ws_mgr_string_scan_rest(s, p, end);
}


#endif /* _NGX_WS_MGR_JSON_STRING_H_INCLUDED_ */
