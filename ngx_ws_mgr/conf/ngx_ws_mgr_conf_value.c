
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_conf_value.h>


static ngx_uint_t ngx_ws_mgr_value_no_file(ngx_err_t err);


void
ngx_ws_mgr_value_here(ngx_conf_t *cf, ngx_ws_mgr_value_place_t *place)
{
    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;
}


void ngx_cdecl
ngx_ws_mgr_value_log(ngx_conf_t *cf, ngx_uint_t level,
    ngx_ws_mgr_value_place_t *place, const char *fmt, ...)
{
    u_char    text[NGX_MAX_CONF_ERRSTR], *last;
    va_list   args;

    va_start(args, fmt);
    last = ngx_vslprintf(text, text + NGX_MAX_CONF_ERRSTR, fmt, args);
    va_end(args);

    if (place->line == 0) {
        ngx_conf_log_error(level, cf, 0, "%*s", (size_t) (last - text), text);
        return;
    }

    ngx_log_error(level, cf->log, 0, "%*s in %V:%ui",
                  (size_t) (last - text), text, &place->file, place->line);
}


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


ngx_int_t
ngx_ws_mgr_value_file(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    const char *use, ngx_str_t *text)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_err_t        err;
    ngx_str_t       *args;
    ngx_file_info_t  fi;

    args = cf->args->elts;
    err = 0;
    n = -1;
    text->data = NULL;

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

    } else if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        err = ngx_errno;

    } else if (!ngx_is_file(&fi)) {
        err = NGX_EINVAL;

    } else if (ngx_file_size(&fi) > (off_t) max) {
        err = EFBIG;

    } else {
        text->data = ngx_pnalloc(cf->pool, max);
    }

    if (text->data) {
        n = ngx_read_fd(fd, text->data, max);

        if (n == -1) {
            err = ngx_errno;
        }
    }

    if (fd != NGX_INVALID_FILE && ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    if (n == -1 && ngx_ws_mgr_value_no_file(err)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           "cannot read the file of \"%V\", use a readable "
                           "file of at most %uz bytes with %s",
                           &args[0], max, use);
        return NGX_ERROR;
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           "cannot read \"%V\" of \"%V\", use a readable "
                           "file of at most %uz bytes with %s",
                           name, &args[0], max, use);
        return NGX_ERROR;
    }

    text->len = n;

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_mgr_value_no_file(ngx_err_t err)
{
    return err == NGX_ENOENT || err == NGX_ENOTDIR || err == NGX_ENAMETOOLONG;
}
