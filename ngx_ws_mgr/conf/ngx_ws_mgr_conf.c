
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_conf_value.h>


#define NGX_WS_MGR_CONF_EVENTS  1048576


static ngx_int_t ngx_ws_mgr_conf_log_limit(ngx_str_t *arg,
    ngx_ws_mgr_log_limits_t *limits);


static const char  *ngx_ws_mgr_conf_placeholders[] = {
    "registry", "placeholder", "null", "undefined", "none", "None", "nil",
    "NaN", "nan", "unknown", "user_id", "your_user_id", "string",
    "[object Object]", NULL
};


char *
ngx_ws_mgr_conf_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    size_t                   *sp;
    ssize_t                   size;
    ngx_str_t                *value;
    ngx_ws_mgr_conf_size_t   *rule;

    sp = (size_t *) (p + cmd->offset);

    if (*sp != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rule = cmd->post;
    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || (size_t) size < rule->min
        || (size_t) size > rule->max)
    {
        return ngx_ws_mgr_value_invalid(cf, &value[1], rule->use);
    }

    *sp = size;

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t                 msec;
    ngx_str_t                *value;
    ngx_msec_t               *msp;
    ngx_ws_mgr_conf_time_t   *rule;

    msp = (ngx_msec_t *) (p + cmd->offset);

    if (*msp != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rule = cmd->post;

    if (rule->off && ngx_ws_mgr_value_is(&value[1], "off")) {
        *msp = 0;
        return NGX_CONF_OK;
    }

    msec = ngx_parse_time(&value[1], 0);

    if (msec == NGX_ERROR || (ngx_msec_t) msec < rule->min
        || (ngx_msec_t) msec > rule->max)
    {
        return ngx_ws_mgr_value_invalid(cf, &value[1], rule->use);
    }

    *msp = msec;

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    u_char           *last, use[128];
    ngx_str_t        *value;
    ngx_uint_t        i, *np;
    ngx_conf_enum_t  *e;

    np = (ngx_uint_t *) (p + cmd->offset);

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    e = cmd->post;
    last = use;

    for (i = 0; e[i].name.len; i++) {

        if (e[i].name.len == value[1].len
            && ngx_strncmp(e[i].name.data, value[1].data, value[1].len) == 0)
        {
            *np = e[i].value;
            return NGX_CONF_OK;
        }

        last = ngx_slprintf(last, use + sizeof(use) - 1, "%s\"%V\"",
                            i == 0 ? "" : " or ", &e[i].name);
    }

    *last = '\0';

    return ngx_ws_mgr_value_invalid(cf, &value[1], (char *) use);
}


char *
ngx_ws_mgr_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ssize_t      size;
    ngx_str_t   *value, s;
    ngx_uint_t   n;

    (void) cmd;

    if (mcf->registry.size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate: a manager has one zone";
    }

    value = cf->args->elts;
    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size == 0) {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                       "a size such as \"64m\", in k or m "
                                       "(a gigabyte is 1024m)");
    }

    ngx_ws_mgr_value_here(cf, &mcf->zone_at);

    mcf->registry.size = size;
    mcf->used = 1;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (!ngx_ws_mgr_value_param(&value[2], "shards", &s)
        || ngx_ws_mgr_value_number(&s, NGX_WS_MGR_SHARDS, &n) != NGX_OK
        || (n & (n - 1)) != 0)
    {
        return ngx_ws_mgr_value_invalid(cf, &value[2],
                                       "\"shards=\" and a power of two of at "
                                       "most 64, such as \"shards=4\"");
    }

    mcf->registry.nshards = n;

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ngx_int_t                 rc;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_ws_mgr_log_limits_t  *limits;

    (void) cmd;

    value = cf->args->elts;
    limits = &mcf->registry.limits;

    if (limits->events != NGX_CONF_UNSET_UINT
        || limits->bytes != NGX_CONF_UNSET_SIZE
        || limits->age != NGX_CONF_UNSET_MSEC)
    {
        return "is duplicate";
    }

    ngx_ws_mgr_value_here(cf, &mcf->log_at);

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_ws_mgr_conf_log_limit(&value[i], limits);

        if (rc == NGX_BUSY) {
            return ngx_ws_mgr_value_twice(cf, &value[i]);
        }

        if (rc != NGX_OK) {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"events=\" and 1 to 1048576, \"bytes=\" and "
                                "a size in k or m, or \"age=\" and a time in "
                                "ms, s, m, h or d, such as "
                                "\"events=256 bytes=256k age=10m\"");
        }
    }

    return NGX_CONF_OK;
}


/* NGX_BUSY: it is set already */

static ngx_int_t
ngx_ws_mgr_conf_log_limit(ngx_str_t *arg, ngx_ws_mgr_log_limits_t *limits)
{
    ssize_t    size;
    ngx_str_t  s;

    if (ngx_ws_mgr_value_param(arg, "events", &s)) {
        if (limits->events != NGX_CONF_UNSET_UINT) {
            return NGX_BUSY;
        }

        return ngx_ws_mgr_value_number(&s, NGX_WS_MGR_CONF_EVENTS,
                                      &limits->events);
    }

    if (ngx_ws_mgr_value_param(arg, "bytes", &s)) {
        if (limits->bytes != NGX_CONF_UNSET_SIZE) {
            return NGX_BUSY;
        }

        size = ngx_parse_size(&s);

        if (size == NGX_ERROR || size == 0) {
            return NGX_ERROR;
        }

        limits->bytes = size;

        return NGX_OK;
    }

    if (ngx_ws_mgr_value_param(arg, "age", &s)) {
        if (limits->age != NGX_CONF_UNSET_MSEC) {
            return NGX_BUSY;
        }

        return ngx_ws_mgr_value_interval(&s, &limits->age);
    }

    return NGX_ERROR;
}


char *
ngx_ws_mgr_conf_placeholder_ids(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ngx_str_t   *value, *id;
    ngx_uint_t   i;

    (void) cmd;

    if (mcf->placeholders != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_ws_mgr_value_is(&value[1], "off")) {
        mcf->placeholders = NULL;
        return NGX_CONF_OK;
    }

    mcf->placeholders = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                         sizeof(ngx_str_t));
    if (mcf->placeholders == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_ws_mgr_value_is(&value[i], "off")
            || ngx_ws_mgr_ticket_check_user(&value[i]) != NGX_OK)
        {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"off\" alone, or ids of 1 to 255 bytes");
        }

        id = ngx_array_push(mcf->placeholders);
        if (id == NULL) {
            return NGX_CONF_ERROR;
        }

        *id = value[i];
    }

    return NGX_CONF_OK;
}


ngx_array_t *
ngx_ws_mgr_conf_default_placeholders(ngx_pool_t *pool)
{
    ngx_str_t    *id;
    ngx_uint_t    i;
    ngx_array_t  *ids;

    ids = ngx_array_create(pool, 16, sizeof(ngx_str_t));
    if (ids == NULL) {
        return NULL;
    }

    for (i = 0; ngx_ws_mgr_conf_placeholders[i]; i++) {
        id = ngx_array_push(ids);
        if (id == NULL) {
            return NULL;
        }

        id->data = (u_char *) ngx_ws_mgr_conf_placeholders[i];
        id->len = ngx_strlen(id->data);
    }

    return ids;
}


void
ngx_ws_mgr_conf_zone_changed(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    ngx_uint_t                   i;
    ngx_cycle_t                 *old;
    ngx_ws_mgr_main_conf_t      *before;
    ngx_ws_mgr_registry_conf_t  *from, *to;

    old = cf->cycle->old_cycle;

    if (ngx_is_init_cycle(old)) {
        return;
    }

    /* this very module has to have been there */

    for (i = 0; old->modules[i] != &ngx_http_ws_mgr_module; i++) {
        if (old->modules[i] == NULL) {
            return;
        }
    }

    before = ngx_http_cycle_get_module_main_conf(old, ngx_http_ws_mgr_module);

    if (before == NULL || !before->used) {
        return;
    }

    from = &before->registry;
    to = &mcf->registry;

    if (from->size == to->size && from->nshards == to->nshards) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"ws_mgr_zone\" was %uz bytes in %ui shards and is %uz "
                  "bytes in %ui now: the new workers begin with empty logs "
                  "and without the tickets that were not used yet, and "
                  "clients that come back are told of a gap", from->size,
                  from->nshards, to->size, to->nshards);
}
