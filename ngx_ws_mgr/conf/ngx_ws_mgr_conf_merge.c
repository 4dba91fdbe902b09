
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_append.h>


static void ngx_ws_mgr_conf_merge_socket(ngx_ws_mgr_loc_conf_t *prev,
    ngx_ws_mgr_loc_conf_t *conf);
static ngx_int_t ngx_ws_mgr_conf_merge_note(ngx_conf_t *cf,
    ngx_ws_mgr_loc_conf_t *conf);


void *
ngx_ws_mgr_conf_create_main(ngx_conf_t *cf)
{
    ngx_ws_mgr_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_mgr_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    mcf->logs = ngx_array_create(cf->pool, 4, sizeof(ngx_log_t *));
    if (mcf->logs == NULL) {
        return NULL;
    }

    mcf->registry.size = NGX_CONF_UNSET_SIZE;
    mcf->registry.nshards = NGX_CONF_UNSET_UINT;
    mcf->registry.limits.events = NGX_CONF_UNSET_UINT;
    mcf->registry.limits.bytes = NGX_CONF_UNSET_SIZE;
    mcf->registry.limits.age = NGX_CONF_UNSET_MSEC;
    mcf->store = NGX_CONF_UNSET_PTR;
    mcf->engine_type = NGX_CONF_UNSET_UINT;
    mcf->placeholders = NGX_CONF_UNSET_PTR;
    mcf->drain = NGX_CONF_UNSET_MSEC;
    mcf->registry.run_timeout = NGX_CONF_UNSET_MSEC;

    return mcf;
}


char *
ngx_ws_mgr_conf_init_main(ngx_conf_t *cf, void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ngx_conf_init_size_value(mcf->registry.size, 64 * 1024 * 1024);
    ngx_conf_init_uint_value(mcf->registry.limits.events, 256);
    ngx_conf_init_msec_value(mcf->registry.limits.age, 600 * 1000);
    ngx_conf_init_msec_value(mcf->drain, 10 * 1000);
    ngx_conf_init_msec_value(mcf->registry.run_timeout, 0);

    if (mcf->placeholders == NGX_CONF_UNSET_PTR) {
        mcf->placeholders = ngx_ws_mgr_conf_default_placeholders(cf->pool);
        if (mcf->placeholders == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_ws_mgr_conf_redis_init(cf, mcf);
}


void *
ngx_ws_mgr_conf_create_loc(ngx_conf_t *cf)
{
    ngx_ws_mgr_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_mgr_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->socket = NGX_CONF_UNSET;
    conf->origins = NGX_CONF_UNSET_PTR;
    conf->refuse = NGX_CONF_UNSET_UINT;
    conf->limit_user = NGX_CONF_UNSET_UINT;
    conf->limit_address = NGX_CONF_UNSET_UINT;
    conf->limit_total = NGX_CONF_UNSET_UINT;
    conf->over = NGX_CONF_UNSET_UINT;
    conf->forward = NGX_CONF_UNSET_UINT;
    conf->session.ping_interval = NGX_CONF_UNSET_MSEC;
    conf->session.ping_timeout = NGX_CONF_UNSET_MSEC;
    conf->session.heartbeat = NGX_CONF_UNSET_MSEC;
    conf->session.age = NGX_CONF_UNSET_MSEC;
    conf->session.message_size = NGX_CONF_UNSET_SIZE;
    conf->session.deflate = NGX_CONF_UNSET;
    conf->session.deflate_min = NGX_CONF_UNSET_SIZE;
    conf->rate = NGX_CONF_UNSET_UINT;
    conf->burst = NGX_CONF_UNSET_UINT;
    conf->keys = NGX_CONF_UNSET_PTR;
    conf->event_size = NGX_CONF_UNSET_SIZE;
    conf->schema = NGX_CONF_UNSET_UINT;
    conf->run_order = NGX_CONF_UNSET_UINT;

    return conf;
}


char *
ngx_ws_mgr_conf_merge_loc(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_ws_mgr_loc_conf_t *prev = parent;
    ngx_ws_mgr_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" keep the content handler of their location,
       a location inside another has its own */

    if (clcf->noname) {
        conf->api = prev->api;
        ngx_conf_merge_value(conf->socket, prev->socket, 0);

    } else if (conf->socket == NGX_CONF_UNSET) {
        conf->socket = 0;
    }

    ngx_ws_mgr_conf_merge_socket(prev, conf);

    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_size_value(conf->event_size, prev->event_size,
                              256 * 1024);
    ngx_conf_merge_uint_value(conf->schema, prev->schema,
                              NGX_WS_MGR_CHECK_WARN);
    ngx_conf_merge_uint_value(conf->run_order, prev->run_order,
                              NGX_WS_MGR_CHECK_WARN);

    if (ngx_ws_mgr_conf_merge_note(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_ws_mgr_conf_inner_check(cf, conf);
}


static void
ngx_ws_mgr_conf_merge_socket(ngx_ws_mgr_loc_conf_t *prev,
    ngx_ws_mgr_loc_conf_t *conf)
{
    if (conf->origins == NGX_CONF_UNSET_PTR) {
        conf->any_origin = prev->any_origin;
    }

    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);
    ngx_conf_merge_uint_value(conf->refuse, prev->refuse,
                              NGX_WS_MGR_REFUSE_HTTP);
    ngx_conf_merge_str_value(conf->permission, prev->permission, "");
    ngx_conf_merge_uint_value(conf->limit_user, prev->limit_user, 10);
    ngx_conf_merge_uint_value(conf->limit_address, prev->limit_address, 0);
    ngx_conf_merge_uint_value(conf->limit_total, prev->limit_total, 0);
    ngx_conf_merge_uint_value(conf->over, prev->over,
                              NGX_WS_MGR_OVER_REFUSE);

    if (conf->forward == NGX_CONF_UNSET_UINT) {
        conf->forward_to = prev->forward_to;
    }

    if (conf->notify.uri.data == NULL) {
        conf->notify = prev->notify;
    }

    ngx_conf_merge_uint_value(conf->forward, prev->forward,
                              NGX_WS_MGR_FORWARD_OFF);

    ngx_conf_merge_msec_value(conf->session.ping_interval,
                              prev->session.ping_interval, 25 * 1000);
    ngx_conf_merge_msec_value(conf->session.ping_timeout,
                              prev->session.ping_timeout, 10 * 1000);
    ngx_conf_merge_msec_value(conf->session.heartbeat,
                              prev->session.heartbeat, 0);
    ngx_conf_merge_msec_value(conf->session.age, prev->session.age, 0);
    ngx_conf_merge_size_value(conf->session.message_size,
                              prev->session.message_size, 64 * 1024);
    ngx_conf_merge_value(conf->session.deflate, prev->session.deflate, 1);
    ngx_conf_merge_size_value(conf->session.deflate_min,
                              prev->session.deflate_min, 256);

    ngx_conf_merge_uint_value(conf->rate, prev->rate, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(conf->burst, prev->burst, NGX_CONF_UNSET_UINT);

    if (conf->rate != NGX_CONF_UNSET_UINT) {
        conf->session.rate = conf->rate;
        conf->session.burst = conf->burst;

    } else if (conf->forward != NGX_WS_MGR_FORWARD_ECHO) {
        conf->session.rate = 50;
        conf->session.burst = 100;
    }
}


/* what the location means for the whole */

static ngx_int_t
ngx_ws_mgr_conf_merge_note(ngx_conf_t *cf, ngx_ws_mgr_loc_conf_t *conf)
{
    ngx_log_t                 **log;
    ngx_uint_t                  i;
    ngx_ws_mgr_main_conf_t     *mcf;
    ngx_http_core_loc_conf_t   *clcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ws_mgr_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->session.drain = mcf->drain;

    if (conf->socket || conf->api) {
        mcf->used = 1;
    }

    if (conf->handler && clcf->handler != conf->handler) {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &conf->at,
                             "\"%s\" stands beside a directive that answers "
                             "in its place, such as \"proxy_pass\", use a "
                             "location for each",
                             conf->api ? "ws_mgr_api" : "ws_mgr_socket");
        return NGX_ERROR;
    }

    if (conf->api) {
        mcf->api = 1;

        /* the core's own values are merged before any other module's */

        conf->body_size = clcf->client_max_body_size;
        clcf->client_max_body_size = 0;

        mcf->event_size = ngx_max(mcf->event_size, conf->event_size);

        if (conf->api & NGX_WS_MGR_API_BROADCAST) {
            mcf->registry.broadcast = 1;
        }
    }

    log = mcf->logs->elts;

    for (i = 0; i < mcf->logs->nelts; i++) {
        if (log[i] == clcf->error_log) {
            return NGX_OK;
        }
    }

    log = ngx_array_push(mcf->logs);
    if (log == NULL) {
        return NGX_ERROR;
    }

    *log = clcf->error_log;

    return NGX_OK;
}
