
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_origin.h>


static ngx_int_t ngx_ws_mgr_origin_scheme(ngx_str_t *text,
    ngx_ws_mgr_origin_t *origin);
static ngx_int_t ngx_ws_mgr_origin_host(ngx_str_t *text,
    ngx_ws_mgr_origin_t *origin);
static u_char *ngx_ws_mgr_origin_host_end(u_char *p, u_char *last);
static ngx_uint_t ngx_ws_mgr_origin_port(ngx_str_t *scheme);
static ngx_uint_t ngx_ws_mgr_origin_same(const ngx_str_t *a,
    const ngx_str_t *b);


static const struct {
    ngx_str_t    scheme;
    ngx_uint_t   port;
} ngx_ws_mgr_origin_ports[] = {
    { ngx_string("http"), 80 },
    { ngx_string("https"), 443 },
    { ngx_string("ws"), 80 },
    { ngx_string("wss"), 443 },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_ws_mgr_origin_parse(ngx_str_t *text, ngx_uint_t wildcard,
    ngx_ws_mgr_origin_t *origin)
{
    size_t     skip;
    ngx_str_t  rest;

    if (ngx_ws_mgr_origin_scheme(text, origin) != NGX_OK) {
        return NGX_ERROR;
    }

    skip = origin->scheme.len + sizeof("://") - 1;
    rest.data = text->data + skip;
    rest.len = text->len - skip;

    origin->wildcard = 0;

    if (wildcard && rest.len > 2 && rest.data[0] == '*'
        && rest.data[1] == '.')
    {
        origin->wildcard = 1;
        rest.data++;
        rest.len--;
    }

    return ngx_ws_mgr_origin_host(&rest, origin);
}


static ngx_int_t
ngx_ws_mgr_origin_scheme(ngx_str_t *text, ngx_ws_mgr_origin_t *origin)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < text->len; i++) {
        c = ngx_tolower(text->data[i]);

        if (c >= 'a' && c <= 'z') {
            continue;
        }

        if (i > 0
            && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))
        {
            continue;
        }

        break;
    }

    if (i == 0 || text->len - i < sizeof("://") - 1
        || ngx_strncmp(text->data + i, "://", 3) != 0)
    {
        return NGX_ERROR;
    }

    origin->scheme.data = text->data;
    origin->scheme.len = i;
    origin->port = ngx_ws_mgr_origin_port(&origin->scheme);

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_mgr_origin_port(ngx_str_t *scheme)
{
    ngx_uint_t  n;

    for (n = 0; ngx_ws_mgr_origin_ports[n].scheme.len; n++) {
        if (ngx_ws_mgr_origin_same(&ngx_ws_mgr_origin_ports[n].scheme,
                                   scheme))
        {
            break;
        }
    }

    return ngx_ws_mgr_origin_ports[n].port;
}


/* host[:port]; the port that is there already is the scheme's default */

static ngx_int_t
ngx_ws_mgr_origin_host(ngx_str_t *text, ngx_ws_mgr_origin_t *origin)
{
    u_char     *p, *last;
    ngx_int_t   port;

    last = text->data + text->len;

    p = ngx_ws_mgr_origin_host_end(text->data, last);
    if (p == NULL) {
        return NGX_ERROR;
    }

    origin->host.data = text->data;
    origin->host.len = p - text->data;

    if (p == last) {
        return NGX_OK;
    }

    port = ngx_atoi(p + 1, last - p - 1);

    if (*p != ':' || port < 1 || port > 65535) {
        return NGX_ERROR;
    }

    origin->port = port;

    return NGX_OK;
}


static u_char *
ngx_ws_mgr_origin_host_end(u_char *p, u_char *last)
{
    u_char  c, *start;

    start = p;

    if (p < last && *p == '[') {

        for (p++; p < last && *p != ']'; p++) {
            c = ngx_tolower(*p);

            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
                  || c == ':' || c == '.'))
            {
                return NULL;
            }
        }

        return (p == last || p == start + 1) ? NULL : p + 1;
    }

    for ( /* void */ ; p < last && *p != ':'; p++) {
        c = ngx_tolower(*p);

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
              || c == '-' || c == '.' || c == '_' || c >= 0x80))
        {
            return NULL;
        }
    }

    return (p == start) ? NULL : p;
}


ngx_uint_t
ngx_ws_mgr_origin_match(ngx_ws_mgr_origin_t *listed,
    ngx_ws_mgr_origin_t *origin)
{
    ngx_str_t  tail;

    if (listed->port != origin->port
        || !ngx_ws_mgr_origin_same(&listed->scheme, &origin->scheme))
    {
        return 0;
    }

    tail = origin->host;

    if (listed->wildcard) {

        /* ".example.com" has a label of at least one byte before it */

        if (tail.len <= listed->host.len) {
            return 0;
        }

        tail.data += tail.len - listed->host.len;
        tail.len = listed->host.len;
    }

    return ngx_ws_mgr_origin_same(&listed->host, &tail);
}


ngx_uint_t
ngx_ws_mgr_origin_own(ngx_ws_mgr_origin_t *origin, ngx_str_t *host)
{
    ngx_ws_mgr_origin_t  own;

    own.port = ngx_ws_mgr_origin_port(&origin->scheme);

    if (ngx_ws_mgr_origin_host(host, &own) != NGX_OK) {
        return 0;
    }

    return own.port == origin->port
           && ngx_ws_mgr_origin_same(&own.host, &origin->host);
}


ngx_uint_t
ngx_ws_mgr_origin_allowed(ngx_array_t *listed, ngx_str_t *text,
    ngx_str_t *host)
{
    ngx_uint_t            i;
    ngx_ws_mgr_origin_t   origin, *elts;

    if (ngx_ws_mgr_origin_parse(text, 0, &origin) != NGX_OK) {
        return 0;
    }

    if (listed == NULL) {
        return host && ngx_ws_mgr_origin_own(&origin, host);
    }

    elts = listed->elts;

    for (i = 0; i < listed->nelts; i++) {
        if (ngx_ws_mgr_origin_match(&elts[i], &origin)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_ws_mgr_origin_same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len
           && ngx_strncasecmp(a->data, b->data, a->len) == 0;
}
