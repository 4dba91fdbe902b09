
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_request_ticket.h>
#include <ngx_ws_mgr_header.h>
#include <ngx_ws_mgr_ticket_mask.h>


#define NGX_WS_MGR_CLAIM_PROTOCOL  "ws-mgr.v1"
#define NGX_WS_MGR_CLAIM_TOKEN     "ticket."
#define NGX_WS_MGR_CLAIM_HEADER    "sec-websocket-protocol"


static ngx_uint_t ngx_ws_mgr_claim_in_path(ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_claim_find(ngx_http_request_t *r);
static ngx_ws_mgr_ctx_t *ngx_ws_mgr_claim_create_ctx(ngx_http_request_t *r);
static void ngx_ws_mgr_claim_cleanup(void *data);
static ngx_int_t ngx_ws_mgr_claim_header(ngx_http_request_t *r,
    ngx_ws_mgr_ctx_t *ctx);
static ngx_int_t ngx_ws_mgr_claim_offer(ngx_http_request_t *r,
    ngx_ws_mgr_ctx_t *ctx, ngx_str_t *list);
static ngx_int_t ngx_ws_mgr_claim_args(ngx_http_request_t *r,
    ngx_ws_mgr_ctx_t *ctx);
static ngx_int_t ngx_ws_mgr_claim_arg(ngx_http_request_t *r,
    ngx_ws_mgr_ctx_t *ctx, u_char *p, u_char *last);
static void ngx_ws_mgr_claim_note(ngx_ws_mgr_ctx_t *ctx, ngx_str_t *ticket);
static void ngx_ws_mgr_claim_mask(ngx_http_request_t *r);
static void ngx_ws_mgr_claim_mask_string(ngx_str_t *s);
static ngx_int_t ngx_ws_mgr_claim_copy(ngx_http_request_t *r, ngx_str_t *s);


/* names of the query argument; all but the first are deprecated */

static ngx_str_t  ngx_ws_mgr_claim_names[] = {
    ngx_string("ticket"),
    ngx_string("auth_ticket"),
    ngx_string("ticket_id"),
    ngx_null_string
};


ngx_int_t
ngx_ws_mgr_claim_take(ngx_http_request_t *r)
{
    ngx_ws_mgr_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_ws_mgr_module);

    if (r != r->main
        || !(conf->socket || (conf->api && ngx_ws_mgr_claim_in_path(r))))
    {
        return NGX_DECLINED;
    }

    if (conf->socket && ngx_ws_mgr_claim_find(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* r->uri points into what is masked in place, and a redirect may have
       taken the arguments from the configuration */

    if (ngx_ws_mgr_claim_copy(r, &r->uri) != NGX_OK
        || (r->internal && ngx_ws_mgr_claim_copy(r, &r->args) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_mgr_claim_mask(r);

    return NGX_DECLINED;
}


/* true if it may have the path tickets/{id} */

static ngx_uint_t
ngx_ws_mgr_claim_in_path(ngx_http_request_t *r)
{
    return ngx_strlcasestrn(r->uri.data, r->uri.data + r->uri.len,
                            (u_char *) "/tickets/", sizeof("/tickets/") - 2)
           != NULL;
}


static ngx_int_t
ngx_ws_mgr_claim_find(ngx_http_request_t *r)
{
    ngx_ws_mgr_ctx_t  *ctx;

    ctx = ngx_ws_mgr_claim_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_ws_mgr_claim_create_ctx(r);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }

    /* where the request was here before, what it has left is masked */

    if (ctx->masked) {
        return NGX_OK;
    }

    ctx->masked = 1;

    if (ngx_ws_mgr_claim_header(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ws_mgr_claim_args(r, ctx);
}


ngx_ws_mgr_ctx_t *
ngx_ws_mgr_claim_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;
    ngx_ws_mgr_ctx_t    *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ws_mgr_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    /* a redirect clears the contexts, but not the pool */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_ws_mgr_claim_cleanup) {
            ngx_http_set_ctx(r, cln->data, ngx_http_ws_mgr_module);
            return cln->data;
        }
    }

    return NULL;
}


static ngx_ws_mgr_ctx_t *
ngx_ws_mgr_claim_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_ws_mgr_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ngx_memzero(cln->data, sizeof(ngx_ws_mgr_ctx_t));

    cln->handler = ngx_ws_mgr_claim_cleanup;
    ngx_http_set_ctx(r, cln->data, ngx_http_ws_mgr_module);

    return cln->data;
}


/* marks the context in the pool's list, has nothing to clean up */

static void
ngx_ws_mgr_claim_cleanup(void *data)
{
    (void) data;
}


/* takes and masks, with ctx NULL masks only */

static ngx_int_t
ngx_ws_mgr_claim_header(ngx_http_request_t *r, ngx_ws_mgr_ctx_t *ctx)
{
    ngx_table_elt_t      *h;
    ngx_ws_mgr_header_t   walk;

    walk.request = r;
    walk.name = NGX_WS_MGR_CLAIM_HEADER;
    walk.part = NULL;

    for ( ;; ) {
        h = ngx_ws_mgr_header_next(&walk);
        if (h == NULL) {
            return NGX_OK;
        }

        if (ctx && ngx_ws_mgr_claim_offer(r, ctx, &h->value) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_ws_mgr_claim_mask_string(&h->value);
    }
}


static ngx_int_t
ngx_ws_mgr_claim_offer(ngx_http_request_t *r, ngx_ws_mgr_ctx_t *ctx,
    ngx_str_t *list)
{
    size_t      skip;
    u_char     *pos, *last;
    ngx_str_t   token, ticket;

    pos = list->data;
    last = pos + list->len;
    skip = sizeof(NGX_WS_MGR_CLAIM_TOKEN) - 1;

    while (ngx_ws_mgr_header_token(&pos, last, &token) == NGX_OK) {

        if (token.len == sizeof(NGX_WS_MGR_CLAIM_PROTOCOL) - 1
            && ngx_strncmp(token.data, NGX_WS_MGR_CLAIM_PROTOCOL, token.len)
               == 0)
        {
            ctx->subprotocol = 1;
            continue;
        }

        if (token.len <= skip
            || ngx_strncasecmp(token.data, (u_char *) NGX_WS_MGR_CLAIM_TOKEN,
                               skip)
               != 0)
        {
            continue;
        }

        ticket.data = token.data + skip;
        ticket.len = token.len - skip;

        if (ngx_ws_mgr_claim_copy(r, &ticket) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_ws_mgr_claim_note(ctx, &ticket);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_claim_args(ngx_http_request_t *r, ngx_ws_mgr_ctx_t *ctx)
{
    u_char  *p, *last, *end;

    p = r->args.data;
    last = p + r->args.len;

    while (p < last) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if (ngx_ws_mgr_claim_arg(r, ctx, p, end) != NGX_OK) {
            return NGX_ERROR;
        }

        p = end + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_claim_arg(ngx_http_request_t *r, ngx_ws_mgr_ctx_t *ctx, u_char *p,
    u_char *last)
{
    u_char      *value, *dst;
    ngx_str_t    ticket, *name;
    ngx_uint_t   i;

    value = ngx_strlchr(p, last, '=');

    if (value == NULL || value + 1 == last) {
        return NGX_OK;
    }

    for (i = 0; ngx_ws_mgr_claim_names[i].len; i++) {
        name = &ngx_ws_mgr_claim_names[i];

        if (name->len == (size_t) (value - p)
            && ngx_strncasecmp(name->data, p, name->len) == 0)
        {
            break;
        }
    }

    if (ngx_ws_mgr_claim_names[i].len == 0) {
        return NGX_OK;
    }

    if (i > 0) {
        ctx->deprecated = 1;
    }

    value++;
    ticket.data = ngx_pnalloc(r->pool, last - value);
    if (ticket.data == NULL) {
        return NGX_ERROR;
    }

    dst = ticket.data;
    ngx_unescape_uri(&dst, &value, last - value, 0);
    ticket.len = dst - ticket.data;

    ngx_ws_mgr_claim_note(ctx, &ticket);

    return NGX_OK;
}


static void
ngx_ws_mgr_claim_note(ngx_ws_mgr_ctx_t *ctx, ngx_str_t *ticket)
{
    if (ctx->ticket.data == NULL) {
        ctx->ticket = *ticket;
        return;
    }

    if (ctx->ticket.len != ticket->len
        || ngx_memcmp(ctx->ticket.data, ticket->data, ticket->len) != 0)
    {
        ctx->several = 1;
    }
}


static void
ngx_ws_mgr_claim_mask(ngx_http_request_t *r)
{
    ngx_ws_mgr_claim_mask_string(&r->request_line);
    ngx_ws_mgr_claim_mask_string(&r->unparsed_uri);
    ngx_ws_mgr_claim_mask_string(&r->args);

    /* the page's own address, which most access logs show */

    if (r->headers_in.referer) {
        ngx_ws_mgr_claim_mask_string(&r->headers_in.referer->value);
    }
}


static void
ngx_ws_mgr_claim_mask_string(ngx_str_t *s)
{
    if (s->len) {
        (void) ngx_ws_mgr_mask_tickets(s->data, s->data + s->len);
    }
}


static ngx_int_t
ngx_ws_mgr_claim_copy(ngx_http_request_t *r, ngx_str_t *s)
{
    u_char  *p;

    if (s->len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, s->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, s->data, s->len);
    s->data = p;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_claim_log(ngx_http_request_t *r)
{
    ngx_uint_t                 ours;
    ngx_ws_mgr_loc_conf_t     *conf;
    ngx_http_core_loc_conf_t  *clcf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_ws_mgr_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* a request that no location was found for, since it was malformed or the
       server answered it, may have been meant for us */

    ours = conf->socket || (conf->api && ngx_ws_mgr_claim_in_path(r))
           || clcf->name.len == 0;

    if (!ours
        || ngx_ws_mgr_claim_copy(r, &r->uri) != NGX_OK
        || ngx_ws_mgr_claim_copy(r, &r->args) != NGX_OK
        || ngx_ws_mgr_claim_copy(r, &r->request_line) != NGX_OK
        || ngx_ws_mgr_claim_copy(r, &r->unparsed_uri) != NGX_OK)
    {
        return NGX_OK;
    }

    ngx_ws_mgr_claim_mask_string(&r->uri);
    ngx_ws_mgr_claim_mask(r);
    (void) ngx_ws_mgr_claim_header(r, NULL);

    return NGX_OK;
}
