
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_value.h>


char *
ngx_ws_mgr_value_invalid(ngx_conf_t *cf, ngx_str_t *value, const char *use)
{
    ngx_str_t  *args;

    args = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\", use %s",
                       value, &args[0], use);

    return NGX_CONF_ERROR;
}


char *
ngx_ws_mgr_value_twice(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_str_t  *args;

    args = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "duplicate parameter \"%V\" in \"%V\", use it once",
                       value, &args[0]);

    return NGX_CONF_ERROR;
}


ngx_uint_t
ngx_ws_mgr_value_param(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len <= len || arg->data[len] != '='
        || ngx_strncmp(arg->data, name, len) != 0)
    {
        return 0;
    }

    value->data = arg->data + len + 1;
    value->len = arg->len - len - 1;

    return 1;
}


ngx_uint_t
ngx_ws_mgr_value_is(ngx_str_t *value, const char *word)
{
    return value->len == ngx_strlen(word)
           && ngx_strncmp(value->data, word, value->len) == 0;
}


ngx_int_t
ngx_ws_mgr_value_number(ngx_str_t *value, ngx_uint_t max, ngx_uint_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n == 0 || (ngx_uint_t) n > max) {
        return NGX_ERROR;
    }

    *number = n;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_value_interval(ngx_str_t *value, ngx_msec_t *msec)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 0);

    if (n == NGX_ERROR || n == 0
        || (ngx_msec_t) n > NGX_WS_MGR_VALUE_TIME)
    {
        return NGX_ERROR;
    }

    *msec = n;

    return NGX_OK;
}
