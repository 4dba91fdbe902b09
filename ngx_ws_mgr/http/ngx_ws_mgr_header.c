
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_header.h>


ngx_table_elt_t *
ngx_ws_mgr_header_next(ngx_ws_mgr_header_t *walk)
{
    size_t            len;
    ngx_table_elt_t  *h;

    if (walk->part == NULL) {
        walk->part = &walk->request->headers_in.headers.part;
        walk->i = 0;
    }

    len = ngx_strlen(walk->name);

    for ( ;; ) {

        if (walk->i == walk->part->nelts) {

            if (walk->part->next == NULL) {
                return NULL;
            }

            walk->part = walk->part->next;
            walk->i = 0;
            continue;
        }

        h = walk->part->elts;
        h += walk->i++;

        if (h->key.len == len
            && ngx_strncasecmp(h->key.data, (u_char *) walk->name, len) == 0)
        {
            return h;
        }
    }
}


ngx_table_elt_t *
ngx_ws_mgr_header_only(ngx_http_request_t *r, const char *name,
    ngx_uint_t *several)
{
    ngx_table_elt_t      *h;
    ngx_ws_mgr_header_t   walk;

    walk.request = r;
    walk.name = name;
    walk.part = NULL;

    *several = 0;
    h = ngx_ws_mgr_header_next(&walk);

    if (h && ngx_ws_mgr_header_next(&walk)) {
        *several = 1;
    }

    return h;
}


ngx_uint_t
ngx_ws_mgr_header_has(ngx_http_request_t *r, const char *name,
    const char *token)
{
    size_t                len;
    u_char               *pos, *last;
    ngx_str_t             listed;
    ngx_table_elt_t      *h;
    ngx_ws_mgr_header_t   walk;

    walk.request = r;
    walk.name = name;
    walk.part = NULL;

    len = ngx_strlen(token);

    for ( ;; ) {
        h = ngx_ws_mgr_header_next(&walk);
        if (h == NULL) {
            return 0;
        }

        pos = h->value.data;
        last = pos + h->value.len;

        while (ngx_ws_mgr_header_token(&pos, last, &listed) == NGX_OK) {
            if (listed.len == len
                && ngx_strncasecmp(listed.data, (u_char *) token, len) == 0)
            {
                return 1;
            }
        }
    }
}


ngx_int_t
ngx_ws_mgr_header_token(u_char **pos, u_char *last, ngx_str_t *token)
{
    u_char  *p;

    p = *pos;

    /* empty elements are to be ignored */

    while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
        p++;
    }

    if (p == last) {
        return NGX_DONE;
    }

    token->data = p;

    while (p < last && *p != ',') {
        p++;
    }

    *pos = p;

    while (p[-1] == ' ' || p[-1] == '\t') {
        p--;
    }

    token->len = p - token->data;

    return NGX_OK;
}
