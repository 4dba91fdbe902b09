
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>


static ngx_int_t ngx_ws_mgr_conf_room(ngx_conf_t *cf,
    ngx_ws_mgr_main_conf_t *mcf);
static ngx_int_t ngx_ws_mgr_conf_log_bytes(ngx_conf_t *cf,
    ngx_ws_mgr_main_conf_t *mcf);
static ngx_uint_t ngx_ws_mgr_conf_shards(ngx_conf_t *cf);
static ngx_uint_t ngx_ws_mgr_conf_workers(ngx_conf_t *cf);


ngx_int_t
ngx_ws_mgr_conf_zones(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    if (ngx_ws_mgr_conf_log_bytes(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ws_mgr_conf_room(cf, mcf);
}


static ngx_int_t
ngx_ws_mgr_conf_log_bytes(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    size_t  *bytes;

    bytes = &mcf->registry.limits.bytes;

    if (*bytes == NGX_CONF_UNSET_SIZE) {
        *bytes = ngx_max(256 * 1024, mcf->event_size);
    }

    if (*bytes < mcf->event_size) {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &mcf->log_at,
                             "\"ws_mgr_log bytes=%uz\" cannot hold one event "
                             "of \"ws_mgr_event_size\", use \"bytes=%uz\" or "
                             "more, or smaller events", *bytes,
                             mcf->event_size);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_conf_room(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    size_t                       min;
    ngx_ws_mgr_registry_conf_t  *registry;

    registry = &mcf->registry;

    if (ngx_ws_mgr_conf_workers(cf) > NGX_WS_MGR_SLOTS) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "more \"worker_processes\" than %d: those above "
                           "refuse sockets with 503", NGX_WS_MGR_SLOTS);
    }

    if (registry->nshards == NGX_CONF_UNSET_UINT) {
        registry->nshards = ngx_ws_mgr_conf_shards(cf);
    }

    min = ngx_ws_mgr_shard_min_size(registry->nshards, mcf->event_size);

    if (registry->size < min) {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &mcf->zone_at,
                             "\"ws_mgr_zone\" of %uz bytes in %ui shards is "
                             "too small for events of %uz bytes, use "
                             "\"ws_mgr_zone %uzk\" or more, or fewer shards",
                             registry->size, registry->nshards,
                             mcf->event_size, (min + 1023) / 1024);
        return NGX_ERROR;
    }

    ngx_ws_mgr_conf_zone_changed(cf, mcf);

    return ngx_ws_mgr_shard_zones(cf, registry, &ngx_http_ws_mgr_module);
}


/* the number of workers, rounded up to a power of two */

static ngx_uint_t
ngx_ws_mgr_conf_shards(ngx_conf_t *cf)
{
    ngx_uint_t  n, workers;

    workers = ngx_ws_mgr_conf_workers(cf);

    for (n = 1; n < workers && n < NGX_WS_MGR_SHARDS; n *= 2) { /* void */ }

    return n;
}


/* 1 where a "worker_processes" that says otherwise comes after http */

static ngx_uint_t
ngx_ws_mgr_conf_workers(ngx_conf_t *cf)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    return (ccf->worker_processes == NGX_CONF_UNSET) ? 1
                                                     : ccf->worker_processes;
}
