
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_conf_value.h>


static char *ngx_ws_mgr_conf_inner_uri(ngx_conf_t *cf,
    ngx_ws_mgr_conf_inner_t *to, const char *use);
static ngx_int_t ngx_ws_mgr_conf_inner_exists(ngx_conf_t *cf,
    ngx_ws_mgr_conf_inner_t *to, const char *directive);
static ngx_http_core_loc_conf_t *ngx_ws_mgr_conf_inner_find(
    ngx_queue_t *locations, ngx_str_t *uri);
static ngx_uint_t ngx_ws_mgr_conf_inner_matches(
    ngx_http_core_loc_conf_t *clcf, ngx_str_t *uri);


char *
ngx_ws_mgr_conf_forward(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (lcf->forward != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_ws_mgr_value_is(&value[1], "echo")) {
        lcf->forward = NGX_WS_MGR_FORWARD_ECHO;
        return NGX_CONF_OK;
    }

    if (ngx_ws_mgr_value_is(&value[1], "off")) {
        lcf->forward = NGX_WS_MGR_FORWARD_OFF;
        return NGX_CONF_OK;
    }

    lcf->forward = NGX_WS_MGR_FORWARD_URI;

    return ngx_ws_mgr_conf_inner_uri(cf, &lcf->forward_to,
                                "\"echo\", \"off\", or the URI of a location "
                                "of the same server, such as \"/agent\"");
}


char *
ngx_ws_mgr_conf_notify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (lcf->notify.uri.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_ws_mgr_value_is(&value[1], "off")) {
        ngx_str_set(&lcf->notify.uri, "");
        return NGX_CONF_OK;
    }

    return ngx_ws_mgr_conf_inner_uri(cf, &lcf->notify,
                                "\"off\", or the URI of a location of the "
                                "same server, such as \"/agent\"");
}


static char *
ngx_ws_mgr_conf_inner_uri(ngx_conf_t *cf, ngx_ws_mgr_conf_inner_t *to,
    const char *use)
{
    u_char     *p;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].data[0] != '/') {
        return ngx_ws_mgr_value_invalid(cf, &value[1], use);
    }

    ngx_ws_mgr_value_here(cf, &to->at);
    to->uri = value[1];
    ngx_str_set(&to->args, "");

    p = ngx_strlchr(value[1].data, value[1].data + value[1].len, '?');

    if (p) {
        to->uri.len = p - value[1].data;
        to->args.data = p + 1;
        to->args.len = value[1].len - to->uri.len - 1;
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_inner_check(ngx_conf_t *cf, ngx_ws_mgr_loc_conf_t *conf)
{
    if (!conf->socket) {
        return NGX_CONF_OK;
    }

    if (conf->forward == NGX_WS_MGR_FORWARD_URI
        && ngx_ws_mgr_conf_inner_exists(cf, &conf->forward_to,
                                        "ws_mgr_forward")
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->notify.uri.len
        && ngx_ws_mgr_conf_inner_exists(cf, &conf->notify, "ws_mgr_notify")
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_mgr_conf_inner_exists(ngx_conf_t *cf, ngx_ws_mgr_conf_inner_t *to,
    const char *directive)
{
    ngx_http_core_srv_conf_t  *cscf;
    ngx_http_core_loc_conf_t  *clcf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = cscf->ctx->loc_conf[ngx_http_core_module.ctx_index];

    clcf = ngx_ws_mgr_conf_inner_find(clcf->locations, &to->uri);

    if (clcf == NULL) {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &to->at,
                             "%s \"%V\" leads to no location of server "
                             "\"%V\"", directive, &to->uri,
                             &cscf->server_name);
        return NGX_ERROR;
    }

    if (clcf->internal) {
        return NGX_OK;
    }

    if (to->uri.len > 1 && clcf->name.len == 1 && clcf->name.data[0] == '/') {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &to->at,
                             "%s \"%V\" leads to \"location /\", which takes "
                             "what no other location takes: is the URI "
                             "mistyped? Use the URI of a location such as "
                             "\"location = %V { internal; ... }\"", directive,
                             &to->uri, &to->uri);
        return NGX_ERROR;
    }

    ngx_ws_mgr_value_log(cf, NGX_LOG_WARN, &to->at,
                         "location \"%V\", where %s leads to, is not "
                         "internal: anybody can post there, as any user",
                         &clcf->name, directive);

    return NGX_OK;
}


/* as nginx will find it; the trees that it looks into are made later */

static ngx_http_core_loc_conf_t *
ngx_ws_mgr_conf_inner_find(ngx_queue_t *locations, ngx_str_t *uri)
{
    ngx_queue_t                *q;
    ngx_http_core_loc_conf_t   *clcf, *best, *regex, *nested;
    ngx_http_location_queue_t  *lq;

    if (locations == NULL) {
        return NULL;
    }

    best = NULL;
    regex = NULL;

    for (q = ngx_queue_head(locations);
         q != ngx_queue_sentinel(locations);
         q = ngx_queue_next(q))
    {
        lq = (ngx_http_location_queue_t *) q;
        clcf = lq->exact ? lq->exact : lq->inclusive;

        if (!ngx_ws_mgr_conf_inner_matches(clcf, uri)) {
            continue;
        }

        if (clcf->exact_match) {
            return clcf;
        }

        if (lq->exact) {
            regex = regex ? regex : clcf;

        } else if (best == NULL || clcf->name.len > best->name.len) {
            best = clcf;
        }
    }

    nested = best ? ngx_ws_mgr_conf_inner_find(best->locations, uri) : NULL;

    if (nested) {
        return nested;
    }

#if (NGX_PCRE)
    if (regex && (best == NULL || !best->noregex)) {
        return regex;
    }
#endif

    return best;
}


static ngx_uint_t
ngx_ws_mgr_conf_inner_matches(ngx_http_core_loc_conf_t *clcf,
    ngx_str_t *uri)
{
    if (clcf->named || clcf->noname) {
        return 0;
    }

#if (NGX_PCRE)
    if (clcf->regex) {
        return ngx_regex_exec(clcf->regex->regex, uri, NULL, 0) >= 0;
    }
#endif

    return uri->len >= clcf->name.len
           && (!clcf->exact_match || uri->len == clcf->name.len)
           && ngx_filename_cmp(uri->data, clcf->name.data, clcf->name.len)
              == 0;
}
