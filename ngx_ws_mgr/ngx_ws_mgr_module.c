
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api.h>
#include <ngx_ws_mgr_request_ticket.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_fanout.h>
#include <ngx_ws_mgr_handshake.h>
#include <ngx_ws_mgr_ticket_mask.h>
#include <ngx_ws_mgr_notify.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_shard_lost.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif


#define NGX_WS_MGR_MODULE_ANY                                                 \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
#define NGX_WS_MGR_MODULE_HEAP  (1024 * 1024)  /* bytes that a worker keeps */


static char *ngx_ws_mgr_module_socket(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_ws_mgr_module_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_ws_mgr_module_both(ngx_conf_t *cf);
static ngx_int_t ngx_ws_mgr_module_handler(ngx_conf_t *cf,
    ngx_ws_mgr_loc_conf_t *lcf, ngx_http_handler_pt handler);
static ngx_int_t ngx_ws_mgr_module_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_ws_mgr_module_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_ws_mgr_module_phases(ngx_conf_t *cf);
static ngx_int_t ngx_ws_mgr_module_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_ws_mgr_module_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_mgr_module_init_process(ngx_cycle_t *cycle);
static void ngx_ws_mgr_module_heap(void);
static void ngx_ws_mgr_module_exit_process(ngx_cycle_t *cycle);
static ngx_ws_mgr_main_conf_t *ngx_ws_mgr_module_used(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_ws_mgr_module_refuse[] = {
    { ngx_string("http"), NGX_WS_MGR_REFUSE_HTTP },
    { ngx_string("close"), NGX_WS_MGR_REFUSE_CLOSE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_ws_mgr_module_check[] = {
    { ngx_string("off"), NGX_WS_MGR_CHECK_OFF },
    { ngx_string("warn"), NGX_WS_MGR_CHECK_WARN },
    { ngx_string("enforce"), NGX_WS_MGR_CHECK_ENFORCE },
    { ngx_null_string, 0 }
};


static ngx_ws_mgr_conf_size_t  ngx_ws_mgr_module_message_size = {
    1, 256 * 1024 * 1024,
    "a size from 1 byte to 256m, in k or m, such as \"64k\""
};


static ngx_ws_mgr_conf_size_t  ngx_ws_mgr_module_event_size = {
    64, 64 * 1024 * 1024,
    "a size from 64 bytes to 64m, in k or m, such as \"256k\""
};


static ngx_ws_mgr_conf_time_t  ngx_ws_mgr_module_heartbeat = {
    1, 24 * 3600 * 1000, 1,
    "\"off\" or an interval above 0 of at most a day, such as \"25s\""
};


static ngx_ws_mgr_conf_time_t  ngx_ws_mgr_module_session_age = {
    1, 30 * 24 * 3600 * (ngx_msec_t) 1000, 1,
    "\"off\" or a time above 0 of at most 30 days, such as \"12h\""
};


static ngx_ws_mgr_conf_time_t  ngx_ws_mgr_module_drain = {
    1, 3600 * 1000, 0,
    "a time above 0 of at most an hour, such as \"10s\""
};


static ngx_ws_mgr_conf_time_t  ngx_ws_mgr_module_run_timeout = {
    1, 24 * 3600 * 1000, 1,
    "\"off\" or a time above 0 of at most a day, such as \"5m\""
};


static ngx_command_t  ngx_ws_mgr_module_commands[] = {

    { ngx_string("ws_mgr_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_ws_mgr_conf_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_redis,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_engine"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_engine,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_ticket_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_ticket_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_log"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_log,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_placeholder_ids"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_placeholder_ids,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_run_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_time,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ws_mgr_main_conf_t, registry.run_timeout),
      &ngx_ws_mgr_module_run_timeout },

    { ngx_string("ws_mgr_drain"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_time,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ws_mgr_main_conf_t, drain),
      &ngx_ws_mgr_module_drain },

    { ngx_string("ws_mgr_socket"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_ws_mgr_module_socket,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_origin"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_loc_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_refuse"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, refuse),
      ngx_ws_mgr_module_refuse },

    { ngx_string("ws_mgr_permission"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_loc_permission,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_connections"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_1MORE,
      ngx_ws_mgr_conf_loc_connections,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_ping"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE12,
      ngx_ws_mgr_conf_loc_ping,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_heartbeat"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, session.heartbeat),
      &ngx_ws_mgr_module_heartbeat },

    { ngx_string("ws_mgr_session_age"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, session.age),
      &ngx_ws_mgr_module_session_age },

    { ngx_string("ws_mgr_message_size"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, session.message_size),
      &ngx_ws_mgr_module_message_size },

    { ngx_string("ws_mgr_message_rate"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE12,
      ngx_ws_mgr_conf_loc_message_rate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_deflate"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE12,
      ngx_ws_mgr_conf_loc_deflate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_forward"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_forward,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_notify"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_notify,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_ws_mgr_module_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_api_key"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_loc_api_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_mgr_event_size"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, event_size),
      &ngx_ws_mgr_module_event_size },

    { ngx_string("ws_mgr_schema"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, schema),
      ngx_ws_mgr_module_check },

    { ngx_string("ws_mgr_run_order"),
      NGX_WS_MGR_MODULE_ANY|NGX_CONF_TAKE1,
      ngx_ws_mgr_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_mgr_loc_conf_t, run_order),
      ngx_ws_mgr_module_check },

      ngx_null_command
};


static ngx_http_module_t  ngx_ws_mgr_module_ctx = {
    ngx_ws_mgr_module_preconfiguration,    /* preconfiguration */
    ngx_ws_mgr_module_postconfiguration,   /* postconfiguration */

    ngx_ws_mgr_conf_create_main,           /* create main configuration */
    ngx_ws_mgr_conf_init_main,             /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_ws_mgr_conf_create_loc,            /* create location configuration */
    ngx_ws_mgr_conf_merge_loc              /* merge location configuration */
};


ngx_module_t  ngx_http_ws_mgr_module = {
    NGX_MODULE_V1,
    &ngx_ws_mgr_module_ctx,                /* module context */
    ngx_ws_mgr_module_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_ws_mgr_module_init_module,         /* init module */
    ngx_ws_mgr_module_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_ws_mgr_module_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_ws_mgr_module_variables[] = {

    { ngx_string("ws_mgr_user"), NULL, ngx_ws_mgr_module_variable,
      offsetof(ngx_ws_mgr_ctx_t, user), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ws_mgr_connection"), NULL, ngx_ws_mgr_module_variable,
      offsetof(ngx_ws_mgr_ctx_t, connection), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ws_mgr_refusal"), NULL, ngx_ws_mgr_module_variable,
      offsetof(ngx_ws_mgr_ctx_t, refusal), NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static char *
ngx_ws_mgr_module_socket(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_ws_mgr_main_conf_t    *mcf;
    ngx_http_core_loc_conf_t  *clcf;

    (void) cmd;

    if (lcf->socket != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (lcf->api) {
        return ngx_ws_mgr_module_both(cf);
    }

    lcf->socket = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (ngx_ws_mgr_module_handler(cf, lcf, ngx_ws_mgr_handshake_handler)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* what an issuer of tickets is told to connect to */

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ws_mgr_module);

    if (mcf->socket_uri.len == 0 && clcf->name.len != 0
        && clcf->name.data[0] == '/')
    {
        mcf->socket_uri = clcf->name;
        mcf->socket_server = ngx_http_conf_get_module_srv_conf(cf,
                                                       ngx_http_core_module);
    }

    if (mcf->socket_at.line == 0) {
        mcf->socket_at = lcf->at;
    }

    return NGX_CONF_OK;
}


static char *
ngx_ws_mgr_module_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_loc_conf_t *lcf = conf;

    ngx_uint_t                 prefix;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->api) {
        return "is duplicate";
    }

    if (lcf->socket != NGX_CONF_UNSET) {
        return ngx_ws_mgr_module_both(cf);
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    prefix = !clcf->named && !clcf->exact_match;

#if (NGX_PCRE)
    if (clcf->regex) {
        prefix = 0;
    }
#endif

    if (!prefix) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_mgr_api\" has paths below its location, use "
                           "it in a prefix location such as "
                           "\"location /api/ { ... }\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_ws_mgr_module_handler(cf, lcf, ngx_ws_mgr_api_handler) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_ws_mgr_conf_loc_api(cf, cmd, conf);
}


/* a location has one; the last directive that sets it wins, and the merge sees
   that it was ours */

static ngx_int_t
ngx_ws_mgr_module_handler(ngx_conf_t *cf, ngx_ws_mgr_loc_conf_t *lcf,
    ngx_http_handler_pt handler)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        value = cf->args->elts;
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" stands beside a directive that answers in "
                           "its place, such as \"proxy_pass\", use a location "
                           "for each", &value[0]);
        return NGX_ERROR;
    }

    clcf->handler = handler;
    lcf->handler = handler;
    ngx_ws_mgr_value_here(cf, &lcf->at);

    return NGX_OK;
}


static char *
ngx_ws_mgr_module_both(ngx_conf_t *cf)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"ws_mgr_socket\" and \"ws_mgr_api\" in one location, "
                       "use a location for each");

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_ws_mgr_module_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_ws_mgr_module_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_module_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t         *value;
    ngx_ws_mgr_ctx_t  *ctx;

    ctx = ngx_ws_mgr_claim_ctx(r->main);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    value = (ngx_str_t *) ((char *) ctx + data);

    if (value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = value->data;
    v->len = value->len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_module_postconfiguration(ngx_conf_t *cf)
{
    ngx_ws_mgr_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ws_mgr_module);

    if (!mcf->used) {
        return NGX_OK;
    }

    if (ngx_ws_mgr_conf_whole(cf, mcf) != NGX_OK
        || ngx_ws_mgr_conf_zones(cf, mcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_ws_mgr_module_phases(cf);
}


static ngx_int_t
ngx_ws_mgr_module_phases(ngx_conf_t *cf)
{
    ngx_array_t                *logs;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /* the last one pushed is the first one called */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_ws_mgr_claim_take;

    /* here the first one is, and the access log must not be before us */

    logs = &cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;

    h = ngx_array_push(logs);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h = logs->elts;
    ngx_memmove(h + 1, h, (logs->nelts - 1) * sizeof(ngx_http_handler_pt));

    *h = ngx_ws_mgr_claim_log;

    return NGX_OK;
}


/* NULL: this process, or this configuration, has no use for the module */

static ngx_ws_mgr_main_conf_t *
ngx_ws_mgr_module_used(ngx_cycle_t *cycle)
{
    ngx_ws_mgr_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ws_mgr_module);

    return (mcf && mcf->used) ? mcf : NULL;
}


static ngx_int_t
ngx_ws_mgr_module_init_module(ngx_cycle_t *cycle)
{
    ngx_log_t               **log;
    ngx_uint_t                i;
    ngx_ws_mgr_main_conf_t   *mcf;

    mcf = ngx_ws_mgr_module_used(cycle);

    if (mcf == NULL) {
        return NGX_OK;
    }

    ngx_ws_mgr_conf_whole_drain(cycle, mcf);

    if (ngx_ws_mgr_mask_logs(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    log = mcf->logs->elts;

    for (i = 0; i < mcf->logs->nelts; i++) {
        if (ngx_ws_mgr_mask_log(log[i], cycle->pool) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_module_init_process(ngx_cycle_t *cycle)
{
    ngx_ws_mgr_redis_t      *redis;
    ngx_ws_mgr_main_conf_t  *mcf;

    mcf = ngx_ws_mgr_module_used(cycle);

    if (mcf == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_ws_mgr_module_heap();

    if (ngx_ws_mgr_fanout_init(cycle, &mcf->registry, mcf->event_size)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_ws_mgr_rejoin_init(cycle);

    redis = NULL;

    if (mcf->tickets.redis) {
        redis = ngx_ws_mgr_ticket_redis_init(&mcf->tickets, cycle);

        if (redis == NULL) {
            return NGX_ERROR;
        }
    }

    return mcf->engine.servers
           ? ngx_ws_mgr_engine_redis_init(&mcf->engine, redis, cycle) : NGX_OK;
}


/*
 * The posts of one turn of the event loop are in memory together, and glibc
 * gives back what is above 128k when they are answered: each turn would grow
 * the heap, fault its pages in, and shrink it.  mallopt(3): this also fixes
 * M_MMAP_THRESHOLD at 128k, so a large message is given back at once.
 */

static void
ngx_ws_mgr_module_heap(void)
{
#if defined(__GLIBC__)
    (void) mallopt(M_TOP_PAD, NGX_WS_MGR_MODULE_HEAP);
#endif
}


static void
ngx_ws_mgr_module_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_ws_mgr_module_used(cycle)
        && (ngx_process == NGX_PROCESS_WORKER
            || ngx_process == NGX_PROCESS_SINGLE))
    {
        ngx_ws_mgr_engine_redis_exit();
        ngx_ws_mgr_redis_exit();
        ngx_ws_mgr_fanout_exit();
        ngx_ws_mgr_notify_exit(cycle->log);
    }
}
