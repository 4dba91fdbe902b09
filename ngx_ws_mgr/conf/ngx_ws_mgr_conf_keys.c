
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_conf_keys.h>
#include <ngx_ws_mgr_conf_value.h>


static ngx_int_t ngx_ws_mgr_keys_add(ngx_conf_t *cf, ngx_array_t *keys,
    ngx_str_t *name, ngx_uint_t number, ngx_str_t *line);


ngx_array_t *
ngx_ws_mgr_keys_read(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char       *p, *last;
    ngx_str_t     text, line;
    ngx_uint_t    number;
    ngx_array_t  *keys;

    if (ngx_ws_mgr_value_file(cf, name, NGX_WS_MGR_KEYS_FILE,
                              "one key a line", &text)
        != NGX_OK)
    {
        return NULL;
    }

    keys = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (keys == NULL) {
        return NULL;
    }

    p = text.data;
    last = text.data + text.len;

    for (number = 1; p < last; number++) {

        line.data = p;
        p = ngx_strlchr(p, last, LF);

        if (p == NULL) {
            p = last;
        }

        line.len = p - line.data;
        p++;

        if (ngx_ws_mgr_keys_add(cf, keys, name, number, &line) != NGX_OK) {
            return NULL;
        }
    }

    if (keys->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no key in \"%V\" of \"ws_mgr_api_key\", write one "
                           "key a line, each of %d characters or more",
                           name, NGX_WS_MGR_KEYS_MIN);
        return NULL;
    }

    return keys;
}


static ngx_int_t
ngx_ws_mgr_keys_add(ngx_conf_t *cf, ngx_array_t *keys, ngx_str_t *name,
    ngx_uint_t number, ngx_str_t *line)
{
    u_char     *p, *last;
    ngx_str_t  *key;

    p = line->data;
    last = line->data + line->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < last
           && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == CR))
    {
        last--;
    }

    if (p == last || *p == '#') {
        return NGX_OK;
    }

    key = ngx_array_push(keys);
    if (key == NULL) {
        return NGX_ERROR;
    }

    key->data = p;
    key->len = last - p;

    for ( /* void */ ; p < last; p++) {
        if (*p <= ' ' || *p >= 0x7f) {
            break;
        }
    }

    if (p < last || key->len < NGX_WS_MGR_KEYS_MIN
        || key->len > NGX_WS_MGR_KEYS_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid key in \"%V\" of \"ws_mgr_api_key\", line "
                           "%ui, use %d to %d printable characters without "
                           "spaces", name, number,
                           NGX_WS_MGR_KEYS_MIN, NGX_WS_MGR_KEYS_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}
