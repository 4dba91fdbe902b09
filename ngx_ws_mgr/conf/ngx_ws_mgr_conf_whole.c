
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>


static ngx_int_t ngx_ws_mgr_conf_whole_site(ngx_conf_t *cf,
    ngx_ws_mgr_main_conf_t *mcf);
static void ngx_ws_mgr_conf_whole_port(ngx_http_conf_port_t *port,
    ngx_ws_mgr_main_conf_t *mcf);
static ngx_uint_t ngx_ws_mgr_conf_whole_named(ngx_str_t *name);


ngx_int_t
ngx_ws_mgr_conf_whole(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    if (mcf->socket_at.line && !mcf->api
        && mcf->engine_type != NGX_WS_MGR_ENGINE_REDIS)
    {
        ngx_ws_mgr_value_log(cf, NGX_LOG_WARN, &mcf->socket_at,
                             "\"ws_mgr_socket\" without \"ws_mgr_api\" in any "
                             "location: nobody can post an event, use "
                             "\"location /api/ { ws_mgr_api; }\"");
    }

    return mcf->socket_server ? ngx_ws_mgr_conf_whole_site(cf, mcf) : NGX_OK;
}


void
ngx_ws_mgr_conf_whole_drain(ngx_cycle_t *cycle, ngx_ws_mgr_main_conf_t *mcf)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->shutdown_timeout && mcf->drain > ccf->shutdown_timeout) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"ws_mgr_drain\" is %M ms and "
                      "\"worker_shutdown_timeout\" %M ms: what is not drained "
                      "by then is cut, use a longer worker_shutdown_timeout",
                      mcf->drain, ccf->shutdown_timeout);
    }
}


/* the name and the port by which browsers know the server of ws_mgr_socket: TLS
   rather than plain, and the port of its scheme rather than another */

static ngx_int_t
ngx_ws_mgr_conf_whole_site(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    u_char                     *p;
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_conf_port_t       *port;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (cmcf->ports == NULL) {
        return NGX_OK;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {
        ngx_ws_mgr_conf_whole_port(&port[i], mcf);
    }

    name = &mcf->socket_server->server_name;

    if (mcf->site_port == 0 || !ngx_ws_mgr_conf_whole_named(name)) {
        return NGX_OK;
    }

    p = ngx_pnalloc(cf->pool, name->len + sizeof(":65535") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    mcf->site.data = p;
    p = ngx_cpymem(p, name->data, name->len);

    if (mcf->site_port != (mcf->site_tls ? 443 : 80)) {
        p = ngx_sprintf(p, ":%ui", (ngx_uint_t) mcf->site_port);
    }

    mcf->site.len = p - mcf->site.data;

    return NGX_OK;
}


static void
ngx_ws_mgr_conf_whole_port(ngx_http_conf_port_t *port,
    ngx_ws_mgr_main_conf_t *mcf)
{
    in_port_t                    n;
    ngx_uint_t                   i, j, tls, better;
    ngx_http_conf_addr_t        *addr;
    ngx_http_core_srv_conf_t   **server;

    n = port->port;
    addr = port->addrs.elts;

    for (i = 0; i < port->addrs.nelts && n != 0; i++) {
        server = addr[i].servers.elts;

        for (j = 0; j < addr[i].servers.nelts; j++) {
            if (server[j] != mcf->socket_server) {
                continue;
            }

            tls = 0;

#if (NGX_HTTP_SSL)
            tls = addr[i].opt.ssl;
#endif

            better = mcf->site_port == 0 || (tls && !mcf->site_tls)
                     || (tls == mcf->site_tls && n == (tls ? 443 : 80));

            if (better) {
                mcf->site_port = n;
                mcf->site_tls = tls;
            }
        }
    }
}


/* not empty, "_", a wildcard or a regular expression */

static ngx_uint_t
ngx_ws_mgr_conf_whole_named(ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] == '*' || name->data[i] == '~'
            || name->data[i] == '_' || name->data[i] == '$')
        {
            return 0;
        }
    }

    return name->len != 0 && name->data[0] != '.';
}
