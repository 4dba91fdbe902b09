
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_conf_keys.h>
#include <ngx_ws_mgr_origin.h>
#include <ngx_ws_mgr_conf_value.h>


#define NGX_WS_MGR_CONF_LOC_CONNECTIONS  1000000
#define NGX_WS_MGR_CONF_LOC_RATE         1000000


static ngx_int_t ngx_ws_mgr_conf_loc_connection_limit(ngx_str_t *arg,
    ngx_ws_mgr_loc_conf_t *lcf);


static const struct {
    const char  *name;
    ngx_uint_t   resource;
} ngx_ws_mgr_conf_loc_resources[] = {
    { "events", NGX_WS_MGR_API_EVENTS },
    { "tickets", NGX_WS_MGR_API_TICKETS },
    { "users", NGX_WS_MGR_API_USERS },
    { "connections", NGX_WS_MGR_API_CONNECTIONS },
    { "health", NGX_WS_MGR_API_HEALTH },
    { "status", NGX_WS_MGR_API_STATUS },
    { "metrics", NGX_WS_MGR_API_METRICS },
    /* it is by posting events that one broadcasts */
    { "broadcast", NGX_WS_MGR_API_BROADCAST|NGX_WS_MGR_API_EVENTS },
    { NULL, 0 }
};


char *
ngx_ws_mgr_conf_loc_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_ws_mgr_origin_t  *origin;

    (void) cmd;

    if (lcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    lcf->any_origin = 0;
    lcf->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                    sizeof(ngx_ws_mgr_origin_t));
    if (lcf->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2 && ngx_ws_mgr_value_is(&value[1], "any")) {
        lcf->any_origin = 1;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        origin = ngx_array_push(lcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_ws_mgr_origin_parse(&value[i], 1, origin) != NGX_OK) {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"any\" alone, or origins such as "
                                "\"https://example.com\", "
                                "\"http://localhost:3000\" or "
                                "\"https://*.example.com\"");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_loc_permission(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    size_t      i;
    ngx_str_t  *value;

    (void) cmd;

    if (lcf->permission.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] <= ' ' || value[1].data[i] == 0x7f) {
            break;
        }
    }

    if (value[1].len == 0 || i < value[1].len) {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                "one name without spaces, such as \"chat\"");
    }

    lcf->permission = value[1];

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_loc_connections(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;

    (void) cmd;

    value = cf->args->elts;

    if (lcf->limit_user != NGX_CONF_UNSET_UINT
        || lcf->limit_address != NGX_CONF_UNSET_UINT
        || lcf->limit_total != NGX_CONF_UNSET_UINT
        || lcf->over != NGX_CONF_UNSET_UINT)
    {
        return "is duplicate";
    }

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_ws_mgr_conf_loc_connection_limit(&value[i], lcf);

        if (rc == NGX_BUSY) {
            return ngx_ws_mgr_value_twice(cf, &value[i]);
        }

        if (rc != NGX_OK) {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"user=\", \"address=\" or \"total=\" and 1 "
                                "to 1000000 or \"off\", or \"over=refuse\" or "
                                "\"over=oldest\"");
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_mgr_conf_loc_connection_limit(ngx_str_t *arg, ngx_ws_mgr_loc_conf_t *lcf)
{
    ngx_str_t    s;
    ngx_uint_t  *limit;

    if (ngx_ws_mgr_value_param(arg, "user", &s)) {
        limit = &lcf->limit_user;

    } else if (ngx_ws_mgr_value_param(arg, "address", &s)) {
        limit = &lcf->limit_address;

    } else if (ngx_ws_mgr_value_param(arg, "total", &s)) {
        limit = &lcf->limit_total;

    } else if (ngx_ws_mgr_value_param(arg, "over", &s)) {
        limit = &lcf->over;

    } else {
        return NGX_ERROR;
    }

    if (*limit != NGX_CONF_UNSET_UINT) {
        return NGX_BUSY;
    }

    if (limit == &lcf->over) {

        if (ngx_ws_mgr_value_is(&s, "refuse")) {
            *limit = NGX_WS_MGR_OVER_REFUSE;
            return NGX_OK;
        }

        if (ngx_ws_mgr_value_is(&s, "oldest")) {
            *limit = NGX_WS_MGR_OVER_OLDEST;
            return NGX_OK;
        }

        return NGX_ERROR;
    }

    if (ngx_ws_mgr_value_is(&s, "off") || ngx_ws_mgr_value_is(&s, "0")) {
        *limit = 0;
        return NGX_OK;
    }

    return ngx_ws_mgr_value_number(&s, NGX_WS_MGR_CONF_LOC_CONNECTIONS, limit);
}


char *
ngx_ws_mgr_conf_loc_ping(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (lcf->session.ping_interval != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_ws_mgr_value_is(&value[1], "off")) {
        lcf->session.ping_interval = 0;
        lcf->session.ping_timeout = 0;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts != 3
        || ngx_ws_mgr_value_interval(&value[1], &lcf->session.ping_interval)
           != NGX_OK)
    {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                "\"off\" or an interval and a timeout such "
                                "as \"25s 10s\"");
    }

    if (ngx_ws_mgr_value_interval(&value[2], &lcf->session.ping_timeout)
        != NGX_OK)
    {
        return ngx_ws_mgr_value_invalid(cf, &value[2],
                                "a timeout above 0 such as \"10s\"");
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_loc_message_rate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t   *value, s;
    ngx_uint_t   rate, burst;

    (void) cmd;

    if (lcf->rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_ws_mgr_value_is(&value[1], "off")) {
        lcf->rate = 0;
        lcf->burst = 0;
        return NGX_CONF_OK;
    }

    s = value[1];
    s.len -= ngx_min(s.len, sizeof("/s") - 1);

    if (ngx_strncmp(s.data + s.len, "/s", 3) != 0
        || ngx_ws_mgr_value_number(&s, NGX_WS_MGR_CONF_LOC_RATE, &rate)
           != NGX_OK)
    {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                "\"off\" alone, or 1/s to 1000000/s, such "
                                "as \"50/s\"");
    }

    /* as in the default, 50/s burst=100 */
    burst = 2 * rate;

    if (cf->args->nelts == 3
        && (!ngx_ws_mgr_value_param(&value[2], "burst", &s)
            || ngx_ws_mgr_value_number(&s, NGX_WS_MGR_CONF_LOC_RATE, &burst)
               != NGX_OK))
    {
        return ngx_ws_mgr_value_invalid(cf, &value[2],
                                "\"burst=\" and 1 to 1000000, such as "
                                "\"burst=100\"");
    }

    lcf->rate = rate;
    lcf->burst = burst;

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_loc_deflate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ssize_t     min;
    ngx_str_t  *value, s;

    (void) cmd;

    if (lcf->session.deflate != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_ws_mgr_value_is(&value[1], "on")) {
        lcf->session.deflate = 1;

    } else if (cf->args->nelts == 2
               && ngx_ws_mgr_value_is(&value[1], "off"))
    {
        lcf->session.deflate = 0;
        return NGX_CONF_OK;

    } else {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                "\"off\" alone, or \"on\", which \"min=\" "
                                "and a size may follow");
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    min = ngx_ws_mgr_value_param(&value[2], "min", &s)
          ? ngx_parse_size(&s) : NGX_ERROR;

    if (min < 1 || min > NGX_WS_MGR_DEFLATE_MOST) {
        return ngx_ws_mgr_value_invalid(cf, &value[2],
                                "\"min=\" and a size from 1 byte to 1m, in "
                                "k or m, such as \"min=256\"");
    }

    lcf->session.deflate_min = min;

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_loc_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, n, named;

    (void) cmd;

    if (cf->args->nelts == 1) {
        lcf->api = NGX_WS_MGR_API_ALL;
        return NGX_CONF_OK;
    }

    value = cf->args->elts;
    named = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 0; ngx_ws_mgr_conf_loc_resources[n].name; n++) {
            if (ngx_ws_mgr_value_is(&value[i],
                                   ngx_ws_mgr_conf_loc_resources[n].name))
            {
                break;
            }
        }

        if (ngx_ws_mgr_conf_loc_resources[n].name == NULL) {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"events\", \"tickets\", \"users\", "
                                "\"connections\", \"health\", \"status\", "
                                "\"metrics\", \"broadcast\", or nothing for "
                                "all but the last");
        }

        if (named & (1 << n)) {
            return ngx_ws_mgr_value_twice(cf, &value[i]);
        }

        named |= 1 << n;
        lcf->api |= ngx_ws_mgr_conf_loc_resources[n].resource;
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_loc_api_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t  *value, name;

    (void) cmd;

    if (lcf->keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    name = value[1];

    if (name.len == 0) {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                "the name of a file with one key a line");
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    lcf->keys = ngx_ws_mgr_keys_read(cf, &name);

    return lcf->keys == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}
