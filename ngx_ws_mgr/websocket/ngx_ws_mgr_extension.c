
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_extension.h>


/* what is left of a field */

typedef struct {
    u_char      *pos;
    u_char      *last;
} ngx_ws_mgr_extension_text_t;


/* a parameter of an offer; any value that is good has one or two digits */

typedef struct {
    ngx_str_t    name;
    size_t       len;              /* of the value, 0: there is none */
    u_char       value[2];         /* as much of it as fits */
} ngx_ws_mgr_extension_param_t;


typedef enum {
    NGX_WS_MGR_EXTENSION_NO_VALUE = 0,
    NGX_WS_MGR_EXTENSION_BITS,
    NGX_WS_MGR_EXTENSION_MAYBE_BITS
} ngx_ws_mgr_extension_value_e;


static ngx_int_t ngx_ws_mgr_extension_offer(ngx_ws_mgr_extension_text_t *t,
    ngx_ws_mgr_extension_t *offer);
static ngx_int_t ngx_ws_mgr_extension_param(ngx_ws_mgr_extension_text_t *t,
    ngx_ws_mgr_extension_param_t *param);
static ngx_int_t ngx_ws_mgr_extension_quoted(ngx_ws_mgr_extension_text_t *t,
    ngx_ws_mgr_extension_param_t *param);
static ngx_uint_t ngx_ws_mgr_extension_next(ngx_ws_mgr_extension_text_t *t,
    u_char separator);
static ngx_int_t ngx_ws_mgr_extension_token(ngx_ws_mgr_extension_text_t *t,
    ngx_str_t *token);
static ngx_uint_t ngx_ws_mgr_extension_is_token(u_char c);
static ngx_uint_t ngx_ws_mgr_extension_is(ngx_str_t *token,
    const ngx_str_t *name);
static ngx_uint_t ngx_ws_mgr_extension_acceptable(
    ngx_ws_mgr_extension_param_t *param, ngx_uint_t *seen,
    ngx_ws_mgr_extension_t *offer);
static ngx_uint_t ngx_ws_mgr_extension_bits(
    ngx_ws_mgr_extension_param_t *param);


static const ngx_str_t  ngx_ws_mgr_extension_deflate =
    ngx_string("permessage-deflate");


/* RFC 7692 section 7.1; "ours" bounds the window that we compress with */

static const struct {
    ngx_str_t                     name;
    ngx_ws_mgr_extension_value_e  value;
    ngx_uint_t                    ours;
} ngx_ws_mgr_extension_params[] = {

    { ngx_string("server_no_context_takeover"),
      NGX_WS_MGR_EXTENSION_NO_VALUE, 0 },

    { ngx_string("client_no_context_takeover"),
      NGX_WS_MGR_EXTENSION_NO_VALUE, 0 },

    { ngx_string("server_max_window_bits"),
      NGX_WS_MGR_EXTENSION_BITS, 1 },

    { ngx_string("client_max_window_bits"),
      NGX_WS_MGR_EXTENSION_MAYBE_BITS, 0 },

    { ngx_null_string, NGX_WS_MGR_EXTENSION_NO_VALUE, 0 }
};


ngx_int_t
ngx_ws_mgr_extension_offers(ngx_str_t *field, ngx_ws_mgr_extension_t *agreed)
{
    ngx_ws_mgr_extension_t       offer;
    ngx_ws_mgr_extension_text_t  t;

    t.pos = field->data;
    t.last = field->data + field->len;

    for ( ;; ) {

        /* empty elements are to be ignored: RFC 9110, 5.6.1.2 */

        while (ngx_ws_mgr_extension_next(&t, ',')) { /* void */ }

        if (t.pos == t.last) {
            return NGX_OK;
        }

        if (ngx_ws_mgr_extension_offer(&t, &offer) != NGX_OK
            || (t.pos < t.last && *t.pos != ','))
        {
            return NGX_ERROR;
        }

        if (agreed->window == 0) {
            *agreed = offer;
        }
    }
}


/* extension-token *( ";" extension-param ); window 0: not to be accepted */

static ngx_int_t
ngx_ws_mgr_extension_offer(ngx_ws_mgr_extension_text_t *t,
    ngx_ws_mgr_extension_t *offer)
{
    ngx_str_t                     name;
    ngx_uint_t                    acceptable, seen;
    ngx_ws_mgr_extension_param_t  param;

    if (ngx_ws_mgr_extension_token(t, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    seen = 0;
    acceptable = ngx_ws_mgr_extension_is(&name,
                                         &ngx_ws_mgr_extension_deflate);

    offer->window = NGX_WS_MGR_WINDOW_MAX;
    offer->named = 0;

    while (ngx_ws_mgr_extension_next(t, ';')) {

        if (ngx_ws_mgr_extension_param(t, &param) != NGX_OK) {
            return NGX_ERROR;
        }

        acceptable = acceptable
                     && ngx_ws_mgr_extension_acceptable(&param, &seen, offer);
    }

    if (!acceptable) {
        offer->window = 0;
    }

    return NGX_OK;
}


/* token [ "=" ( token / quoted-string ) ] */

static ngx_int_t
ngx_ws_mgr_extension_param(ngx_ws_mgr_extension_text_t *t,
    ngx_ws_mgr_extension_param_t *param)
{
    ngx_str_t  token;

    param->len = 0;

    if (ngx_ws_mgr_extension_token(t, &param->name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!ngx_ws_mgr_extension_next(t, '=')) {
        return NGX_OK;
    }

    if (t->pos < t->last && *t->pos == '"') {
        return ngx_ws_mgr_extension_quoted(t, param);
    }

    if (ngx_ws_mgr_extension_token(t, &token) != NGX_OK) {
        return NGX_ERROR;
    }

    param->len = token.len;
    ngx_memcpy(param->value, token.data,
               ngx_min(token.len, sizeof(param->value)));

    return NGX_OK;
}


/* what is in the quotes has to be a token, too: RFC 6455 section 9.1 */

static ngx_int_t
ngx_ws_mgr_extension_quoted(ngx_ws_mgr_extension_text_t *t,
    ngx_ws_mgr_extension_param_t *param)
{
    u_char  *p;

    for (p = t->pos + 1; p < t->last && *p != '"'; p++) {

        if (*p == '\\') {
            p++;
        }

        if (p == t->last || !ngx_ws_mgr_extension_is_token(*p)) {
            return NGX_ERROR;
        }

        if (param->len < sizeof(param->value)) {
            param->value[param->len] = *p;
        }

        param->len++;
    }

    if (p == t->last || param->len == 0) {
        return NGX_ERROR;
    }

    t->pos = p + 1;

    return NGX_OK;
}


/* 1: the separator was there; it and white space around it are consumed */

static ngx_uint_t
ngx_ws_mgr_extension_next(ngx_ws_mgr_extension_text_t *t, u_char separator)
{
    ngx_uint_t  found;

    found = 0;

    for ( /* void */ ; t->pos < t->last; t->pos++) {

        if (*t->pos == ' ' || *t->pos == '\t') {
            continue;
        }

        if (*t->pos != separator || found) {
            break;
        }

        found = 1;
    }

    return found;
}


static ngx_int_t
ngx_ws_mgr_extension_token(ngx_ws_mgr_extension_text_t *t, ngx_str_t *token)
{
    token->data = t->pos;

    while (t->pos < t->last && ngx_ws_mgr_extension_is_token(*t->pos)) {
        t->pos++;
    }

    token->len = t->pos - token->data;

    return token->len ? NGX_OK : NGX_ERROR;
}


/* tchar: RFC 9110, 5.6.2 */

static ngx_uint_t
ngx_ws_mgr_extension_is_token(u_char c)
{
    return (c >= '0' && c <= '9')
           || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z')
           || (c && ngx_strchr("!#$%&'*+-.^_`|~", c));
}


static ngx_uint_t
ngx_ws_mgr_extension_is(ngx_str_t *token, const ngx_str_t *name)
{
    return token->len == name->len
           && ngx_memcmp(token->data, name->data, name->len) == 0;
}


/* "seen" has a bit for each parameter that the offer had so far */

static ngx_uint_t
ngx_ws_mgr_extension_acceptable(ngx_ws_mgr_extension_param_t *param,
    ngx_uint_t *seen, ngx_ws_mgr_extension_t *offer)
{
    ngx_uint_t  i, bits, good;

    for (i = 0; ngx_ws_mgr_extension_params[i].name.len; i++) {
        if (ngx_ws_mgr_extension_is(&param->name,
                                    &ngx_ws_mgr_extension_params[i].name))
        {
            break;
        }
    }

    if (ngx_ws_mgr_extension_params[i].name.len == 0 || *seen & (1 << i)) {
        return 0;
    }

    *seen |= 1 << i;

    bits = ngx_ws_mgr_extension_bits(param);

    switch (ngx_ws_mgr_extension_params[i].value) {

    case NGX_WS_MGR_EXTENSION_NO_VALUE:
        good = (param->len == 0);
        break;

    case NGX_WS_MGR_EXTENSION_BITS:
        good = (bits != 0);
        break;

    default: /* NGX_WS_MGR_EXTENSION_MAYBE_BITS */
        good = (bits != 0 || param->len == 0);
        break;
    }

    if (good && ngx_ws_mgr_extension_params[i].ours) {
        offer->window = (uint8_t) bits;
        offer->named = 1;
    }

    return good;
}


/* a decimal integer from 8 to 15 without leading zeros, or 0 */

static ngx_uint_t
ngx_ws_mgr_extension_bits(ngx_ws_mgr_extension_param_t *param)
{
    ngx_int_t  n;

    if (param->len == 0 || param->len > sizeof(param->value)
        || param->value[0] == '0')
    {
        return 0;
    }

    n = ngx_atoi(param->value, param->len);

    return (n >= NGX_WS_MGR_WINDOW_MIN && n <= NGX_WS_MGR_WINDOW_MAX) ? n : 0;
}


u_char *
ngx_ws_mgr_extension_answer(u_char *p, ngx_ws_mgr_extension_t *agreed)
{
    p = ngx_sprintf(p, "%V; server_no_context_takeover; "
                       "client_no_context_takeover",
                    &ngx_ws_mgr_extension_deflate);

    if (agreed->named) {
        p = ngx_sprintf(p, "; server_max_window_bits=%ud",
                        (unsigned) agreed->window);
    }

    return p;
}
