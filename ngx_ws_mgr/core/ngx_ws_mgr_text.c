
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_TEXT_MIN  512


void
ngx_ws_mgr_text_init(ngx_ws_mgr_text_t *t, ngx_pool_t *pool, size_t size)
{
    t->start = NULL;
    t->last = NULL;
    t->end = NULL;
    t->pool = pool;
    t->failed = 0;

    if (size != 0) {
        (void) ngx_ws_mgr_text_room(t, size);
    }
}


ngx_int_t
ngx_ws_mgr_text_grow(ngx_ws_mgr_text_t *t, size_t size)
{
    u_char  *p;
    size_t   len, want;

    if (t->failed) {
        return NGX_ERROR;
    }

    len = t->last - t->start;
    want = ngx_max(2 * (size_t) (t->end - t->start), len + size);
    want = ngx_max(want, NGX_WS_MGR_TEXT_MIN);

    p = ngx_pnalloc(t->pool, want);
    if (p == NULL) {
        t->end = t->last;
        t->failed = 1;
        return NGX_ERROR;
    }

    if (t->start != NULL) {
        ngx_memcpy(p, t->start, len);
        (void) ngx_pfree(t->pool, t->start);
    }

    t->start = p;
    t->last = p + len;
    t->end = p + want;

    return NGX_OK;
}


void
ngx_ws_mgr_text_format(ngx_ws_mgr_text_t *t, size_t size, const char *fmt,
    ...)
{
    va_list  args;

    if (ngx_ws_mgr_text_room(t, size) != NGX_OK) {
        return;
    }

    va_start(args, fmt);
    t->last = ngx_vslprintf(t->last, t->last + size, fmt, args);
    va_end(args);
}


void
ngx_ws_mgr_text_number(ngx_ws_mgr_text_t *t, uint64_t number)
{
    if (ngx_ws_mgr_text_room(t, NGX_INT64_LEN) == NGX_OK) {
        t->last = ngx_ws_mgr_text_decimal(t->last, number);
    }
}


u_char *
ngx_ws_mgr_text_decimal(u_char *p, uint64_t number)
{
    u_char  *d, *end;

    end = p + ngx_ws_mgr_text_digits(number);
    d = end;

    do {
        *--d = (u_char) ('0' + number % 10);
        number /= 10;
    } while (d > p);

    return end;
}


size_t
ngx_ws_mgr_text_digits(uint64_t number)
{
    size_t    digits;
    uint64_t  least;

    /* of the least number with as many bits, or one more; 1233 / 4096 is
       log10(2) */

    static const uint64_t  powers[] = {
        0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
        1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
        100000000000000, 1000000000000000, 10000000000000000,
        100000000000000000, 1000000000000000000, 10000000000000000000u
    };

    digits = (size_t) (64 - __builtin_clzll(number | 1)) * 1233 >> 12;
    least = powers[digits];

    return digits + (number >= least);
}


void
ngx_ws_mgr_text_real(ngx_ws_mgr_text_t *t, double number)
{
    if (!(number > -1e15 && number < 1e15)) {
        ngx_ws_mgr_text_put(t, "null");
        return;
    }

    ngx_ws_mgr_text_format(t, NGX_INT64_LEN + 8, "%.6f", number);

    if (t->failed) {
        return;
    }

    while (t->last[-1] == '0') {
        t->last--;
    }

    if (t->last[-1] == '.') {
        t->last--;
    }
}


void
ngx_ws_mgr_text_string(ngx_ws_mgr_text_t *t, ngx_str_t *string)
{
    size_t  escape;

    if (string->data == NULL) {
        ngx_ws_mgr_text_put(t, "null");
        return;
    }

    escape = ngx_escape_json(NULL, string->data, string->len);

    if (ngx_ws_mgr_text_room(t, string->len + escape + 2) != NGX_OK) {
        return;
    }

    *t->last++ = '"';

    if (escape == 0) {
        t->last = ngx_cpymem(t->last, string->data, string->len);

    } else {
        t->last = (u_char *) ngx_escape_json(t->last, string->data,
                                             string->len);
    }

    *t->last++ = '"';
}
