
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_frame.h>


static ngx_int_t ngx_ws_mgr_path_raw(ngx_http_request_t *r,
    ngx_str_t *prefix, ngx_str_t *rest);
static ngx_int_t ngx_ws_mgr_path_byte(u_char **p, u_char *last, u_char *ch);
static ngx_int_t ngx_ws_mgr_path_decode(ngx_pool_t *pool, ngx_str_t *raw,
    ngx_str_t *value);


/* r->uri is the path as it was sent, byte for byte */
#define ngx_ws_mgr_path_plain(r)                                              \
    ((r)->valid_unparsed_uri && (r) == (r)->main                              \
     && !(r)->quoted_uri && !(r)->complex_uri)


/*
 * r->uri has lost the difference between "/" and "%2F", so the path is taken
 * from the request line.  Where that is not what led here (it was rewritten,
 * masked, or has dot segments inside), r->uri is all there is.
 */

ngx_int_t
ngx_ws_mgr_api_path(ngx_http_request_t *r, ngx_str_t *resource,
    ngx_str_t *arg)
{
    u_char                    *p, *last;
    ngx_str_t                  rest, raw;
    ngx_uint_t                 plain, encoded;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_str_null(resource);
    ngx_str_null(arg);

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    plain = ngx_ws_mgr_path_plain(r);
    encoded = plain || ngx_ws_mgr_path_raw(r, &clcf->name, &rest) == NGX_OK;

    if (plain || !encoded) {

        if (r->uri.len < clcf->name.len
            || ngx_memcmp(r->uri.data, clcf->name.data, clcf->name.len) != 0)
        {
            return NGX_DECLINED;
        }

        rest.data = r->uri.data + clcf->name.len;
        rest.len = r->uri.len - clcf->name.len;
    }

    p = rest.data;
    last = rest.data + rest.len;

    if (p < last && *p != '/' && clcf->name.len != 0
        && clcf->name.data[clcf->name.len - 1] != '/')
    {
        return NGX_DECLINED;
    }

    while (p < last && *p == '/') {
        p++;
    }

    resource->data = p;

    while (p < last && *p != '/') {
        p++;
    }

    resource->len = p - resource->data;

    while (p < last && *p == '/') {
        p++;
    }

    raw.data = p;
    raw.len = last - p;

    if (!encoded) {
        *arg = raw;
        return NGX_OK;
    }

    if (raw.len != 0 && raw.data[raw.len - 1] == '/') {
        raw.len--;
    }

    if (ngx_strlchr(raw.data, raw.data + raw.len, '/') != NULL) {
        return NGX_DECLINED;
    }

    return ngx_ws_mgr_path_decode(r->pool, &raw, arg);
}


/* what follows the prefix in the path as it was sent; NGX_DECLINED: it does
   not lead to this location, or not by itself */

static ngx_int_t
ngx_ws_mgr_path_raw(ngx_http_request_t *r, ngx_str_t *prefix,
    ngx_str_t *rest)
{
    u_char      ch, *p, *last, *segment;
    ngx_uint_t  i;

    if (!r->valid_unparsed_uri || r != r->main
        || r->unparsed_uri.len == 0 || r->unparsed_uri.data[0] != '/')
    {
        return NGX_DECLINED;
    }

    p = r->unparsed_uri.data;
    last = p;

    while (last < r->unparsed_uri.data + r->unparsed_uri.len
           && *last != '?' && *last != '#')
    {
        last++;
    }

    for (segment = p; segment < last; segment++) {

        if (*segment == '*') {
            /* masked, or might be */
            return NGX_DECLINED;
        }

        /* at the end it may be a user: "." has no other encoding */

        if (segment[0] == '/' && last - segment > 2 && segment[1] == '.'
            && (segment[2] == '/'
                || (segment[2] == '.' && last - segment > 3
                    && segment[3] == '/')))
        {
            return NGX_DECLINED;
        }
    }

    for (i = 0; i < prefix->len; i++) {

        if (p == last || ngx_ws_mgr_path_byte(&p, last, &ch) != NGX_OK
            || ch != prefix->data[i])
        {
            return NGX_DECLINED;
        }

        while (ch == '/' && p < last && *p == '/') {
            p++;
        }
    }

    rest->data = p;
    rest->len = last - p;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_path_byte(u_char **p, u_char *last, u_char *ch)
{
    ngx_int_t  n;

    if (**p != '%') {
        *ch = *(*p)++;
        return NGX_OK;
    }

    if (last - *p < 3) {
        return NGX_ABORT;
    }

    n = ngx_hextoi(*p + 1, 2);
    if (n == NGX_ERROR) {
        return NGX_ABORT;
    }

    *ch = (u_char) n;
    *p += 3;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_path_decode(ngx_pool_t *pool, ngx_str_t *raw, ngx_str_t *value)
{
    u_char    *p, *last, *dst;
    uint32_t   utf8;

    if (raw->len == 0) {
        ngx_str_set(value, "");
        return NGX_OK;
    }

    dst = ngx_pnalloc(pool, raw->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;

    p = raw->data;
    last = raw->data + raw->len;

    while (p < last) {
        if (ngx_ws_mgr_path_byte(&p, last, dst) != NGX_OK || *dst == '\0') {
            return NGX_ABORT;
        }

        dst++;
    }

    value->len = dst - value->data;
    utf8 = 0;

    if (ngx_ws_mgr_frame_utf8(&utf8, value->data, dst) != NGX_OK
        || utf8 != 0)
    {
        return NGX_ABORT;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_api_query(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_str_t  raw;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK) {
        ngx_str_null(value);
        return NGX_DECLINED;
    }

    return ngx_ws_mgr_path_decode(r->pool, &raw, value);
}


ngx_int_t
ngx_ws_mgr_api_query_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t min, ngx_uint_t max, ngx_uint_t def, ngx_uint_t *value)
{
    ngx_int_t  n;
    ngx_str_t  raw;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK) {
        *value = def;
        return NGX_OK;
    }

    n = ngx_atoi(raw.data, raw.len);

    if (n == NGX_ERROR || (ngx_uint_t) n < min || (ngx_uint_t) n > max) {
        return NGX_ABORT;
    }

    *value = n;

    return NGX_OK;
}
