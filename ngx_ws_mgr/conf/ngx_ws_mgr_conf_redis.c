
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_fanout.h>
#include <ngx_ws_mgr_redis_url.h>
#include <ngx_ws_mgr_ticket_redis.h>
#include <ngx_ws_mgr_ticket_shm.h>
#include <ngx_ws_mgr_conf_value.h>


#define NGX_WS_MGR_CONF_REDIS_TIMEOUT  500     /* ms */
#define NGX_WS_MGR_CONF_REDIS_LONGEST  60000
#define NGX_WS_MGR_CONF_REDIS_SECRET   512     /* bytes of a password's file */


#define NGX_WS_MGR_CONF_REDIS_USE                                             \
    "\"timeout=\" and a time of at most a minute, \"user=\" and a name, "     \
    "\"password_file=\" and a file, or \"db=\" and a number"


static ngx_int_t ngx_ws_mgr_conf_redis_add(ngx_conf_t *cf,
    ngx_ws_mgr_main_conf_t *mcf, ngx_ws_mgr_redis_conf_t *redis);
static ngx_int_t ngx_ws_mgr_conf_redis_param(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_ws_mgr_redis_conf_t *redis);
static ngx_int_t ngx_ws_mgr_conf_redis_password(ngx_conf_t *cf,
    ngx_str_t *name, ngx_ws_mgr_redis_conf_t *redis);
static ngx_int_t ngx_ws_mgr_conf_redis_timeout(ngx_str_t *value,
    ngx_msec_t *timeout);
static ngx_int_t ngx_ws_mgr_conf_redis_prefix(ngx_str_t *value,
    ngx_str_t *prefix);
static ngx_int_t ngx_ws_mgr_conf_engine_init(ngx_conf_t *cf,
    ngx_ws_mgr_main_conf_t *mcf);


char *
ngx_ws_mgr_conf_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ngx_int_t                 rc;
    ngx_str_t                *value;
    ngx_uint_t                i;
    const char               *error;
    ngx_ws_mgr_redis_conf_t  *redis;

    (void) cmd;

    redis = ngx_pcalloc(cf->pool, sizeof(ngx_ws_mgr_redis_conf_t));
    if (redis == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    rc = ngx_ws_mgr_redis_url(cf->pool, &value[1], redis, &error);

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {

        /* the value may have a password */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL in \"ws_mgr_redis\", %s, use "
                           "\"redis://[user:password@]host[:port][/db]\" or "
                           "\"unix:/path\"", error);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rc = ngx_ws_mgr_conf_redis_param(cf, &value[i], redis);

        if (rc == NGX_BUSY) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ws_mgr_redis\" says twice what \"%V\" says, "
                               "use its URL or a parameter, once", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                            NGX_WS_MGR_CONF_REDIS_USE);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (redis->user.len && redis->password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "user \"%V\" in \"ws_mgr_redis\" has no password, "
                           "use \"user:password@\" or \"password_file=\"",
                           &redis->user);
        return NGX_CONF_ERROR;
    }

    if (redis->timeout == 0) {
        redis->timeout = NGX_WS_MGR_CONF_REDIS_TIMEOUT;
    }

    return ngx_ws_mgr_conf_redis_add(cf, mcf, redis) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_ws_mgr_conf_redis_add(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf,
    ngx_ws_mgr_redis_conf_t *redis)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_ws_mgr_redis_conf_t  **servers, **server;

    if (mcf->redis == NULL) {
        mcf->redis = ngx_array_create(cf->pool, 1,
                                      sizeof(ngx_ws_mgr_redis_conf_t *));
        if (mcf->redis == NULL) {
            return NGX_ERROR;
        }
    }

    servers = mcf->redis->elts;

    for (i = 0; i < mcf->redis->nelts; i++) {
        name = &servers[i]->name;

        if (name->len == redis->name.len
            && ngx_memcmp(name->data, redis->name.data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ws_mgr_redis\" names the server %V twice, "
                               "use a line for each server", name);
            return NGX_ERROR;
        }
    }

    if (mcf->redis->nelts == NGX_WS_MGR_RING_SERVERS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d servers in \"ws_mgr_redis\"",
                           NGX_WS_MGR_RING_SERVERS);
        return NGX_ERROR;
    }

    server = ngx_array_push(mcf->redis);
    if (server == NULL) {
        return NGX_ERROR;
    }

    *server = redis;

    return NGX_OK;
}


/* NGX_DECLINED: no parameter; NGX_BUSY: it is set; NGX_ERROR: logged */

static ngx_int_t
ngx_ws_mgr_conf_redis_param(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_ws_mgr_redis_conf_t *redis)
{
    ngx_str_t  s;

    if (ngx_ws_mgr_value_param(arg, "timeout", &s)) {
        return redis->timeout
               ? NGX_BUSY : ngx_ws_mgr_conf_redis_timeout(&s, &redis->timeout);
    }

    if (ngx_ws_mgr_value_param(arg, "user", &s)) {

        if (redis->user.len) {
            return NGX_BUSY;
        }

        redis->user = s;
        return s.len ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_ws_mgr_value_param(arg, "password_file", &s)) {
        return redis->password.len
               ? NGX_BUSY : ngx_ws_mgr_conf_redis_password(cf, &s, redis);
    }

    if (ngx_ws_mgr_value_param(arg, "db", &s)) {
        return redis->db
               ? NGX_BUSY
               : ngx_ws_mgr_value_number(&s, NGX_WS_MGR_REDIS_DB, &redis->db)
                 == NGX_OK ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


/* its first line */

static ngx_int_t
ngx_ws_mgr_conf_redis_password(ngx_conf_t *cf, ngx_str_t *name,
    ngx_ws_mgr_redis_conf_t *redis)
{
    u_char     *p, *last;
    ngx_str_t   text;

    if (name->len == 0) {
        return NGX_DECLINED;
    }

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK
        || ngx_ws_mgr_value_file(cf, name, NGX_WS_MGR_CONF_REDIS_SECRET,
                                 "the password as its first line", &text)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    last = text.data + text.len;

    for (p = text.data; p < last && *p != CR && *p != LF; p++) { /* void */ }

    if (p == text.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no password in \"%V\" of \"ws_mgr_redis\", write "
                           "it as the first line", name);
        return NGX_ERROR;
    }

    redis->password.data = text.data;
    redis->password.len = p - text.data;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_conf_redis_timeout(ngx_str_t *value, ngx_msec_t *timeout)
{
    if (ngx_ws_mgr_value_interval(value, timeout) != NGX_OK
        || *timeout > NGX_WS_MGR_CONF_REDIS_LONGEST)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_conf_redis_prefix(ngx_str_t *value, ngx_str_t *prefix)
{
    size_t  i;

    if (value->len == 0 || value->len > NGX_WS_MGR_TICKET_REDIS_PREFIX) {
        return NGX_DECLINED;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] <= ' ' || value->data[i] >= 0x7f) {
            return NGX_DECLINED;
        }
    }

    *prefix = *value;

    return NGX_OK;
}


char *
ngx_ws_mgr_conf_ticket_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    (void) cmd;

    if (mcf->store != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_ws_mgr_value_is(&value[1], "shm")) {
        mcf->store = &ngx_ws_mgr_ticket_shm;

        return cf->args->nelts == 2
               ? NGX_CONF_OK
               : ngx_ws_mgr_value_invalid(cf, &value[2],
                                "\"shm\" alone: it has no parameters");
    }

    if (!ngx_ws_mgr_value_is(&value[1], "redis")) {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                        "\"shm\" or \"redis\"");
    }

    mcf->store = &ngx_ws_mgr_ticket_redis;
    ngx_ws_mgr_value_here(cf, &mcf->store_at);

    for (i = 2; i < cf->args->nelts; i++) {
        rc = NGX_DECLINED;

        if (ngx_ws_mgr_value_param(&value[i], "prefix", &s)) {
            rc = mcf->tickets.prefix.len
                 ? NGX_BUSY
                 : ngx_ws_mgr_conf_redis_prefix(&s, &mcf->tickets.prefix);

        } else if (ngx_ws_mgr_value_param(&value[i], "timeout", &s)) {
            rc = mcf->tickets.timeout
                 ? NGX_BUSY
                 : ngx_ws_mgr_conf_redis_timeout(&s, &mcf->tickets.timeout);
        }

        if (rc == NGX_BUSY) {
            return ngx_ws_mgr_value_twice(cf, &value[i]);
        }

        if (rc != NGX_OK) {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"prefix=\" and up to 128 characters, or "
                                "\"timeout=\" and a time of at most a minute, "
                                "such as \"prefix=auth:ticket: "
                                "timeout=250ms\"");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_engine(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_mgr_main_conf_t *mcf = conf;

    ngx_str_t   *value, s;
    ngx_uint_t   i;

    (void) cmd;

    if (mcf->engine_type != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_ws_mgr_value_is(&value[1], "shm")) {
        mcf->engine_type = NGX_WS_MGR_ENGINE_SHM;

        return cf->args->nelts == 2
               ? NGX_CONF_OK
               : ngx_ws_mgr_value_invalid(cf, &value[2],
                                "\"shm\" alone: it has no parameters");
    }

    if (!ngx_ws_mgr_value_is(&value[1], "redis")) {
        return ngx_ws_mgr_value_invalid(cf, &value[1],
                                        "\"shm\" or \"redis\"");
    }

    mcf->engine_type = NGX_WS_MGR_ENGINE_REDIS;
    ngx_ws_mgr_value_here(cf, &mcf->engine_at);

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_ws_mgr_value_param(&value[i], "prefix", &s)
            && mcf->engine.prefix.len)
        {
            return ngx_ws_mgr_value_twice(cf, &value[i]);
        }

        if (!ngx_ws_mgr_value_param(&value[i], "prefix", &s)
            || ngx_strlchr(s.data, s.data + s.len, '{') != NULL
            || ngx_ws_mgr_conf_redis_prefix(&s, &mcf->engine.prefix) != NGX_OK)
        {
            return ngx_ws_mgr_value_invalid(cf, &value[i],
                                "\"prefix=\" and up to 128 characters without "
                                "\"{\", such as \"prefix=ws_mgr:\"");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_mgr_conf_redis_init(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    if (mcf->store == NGX_CONF_UNSET_PTR) {
        mcf->store = mcf->redis ? &ngx_ws_mgr_ticket_redis
                                : &ngx_ws_mgr_ticket_shm;
    }

    if (mcf->engine_type == NGX_WS_MGR_ENGINE_REDIS
        && ngx_ws_mgr_conf_engine_init(cf, mcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (mcf->store != &ngx_ws_mgr_ticket_redis) {
        return NGX_CONF_OK;
    }

    if (mcf->redis == NULL) {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &mcf->store_at,
                             "\"ws_mgr_ticket_store redis\" has no server, "
                             "use \"ws_mgr_redis redis://host\" beside it");
        return NGX_CONF_ERROR;
    }

    if (mcf->tickets.prefix.len == 0) {
        ngx_str_set(&mcf->tickets.prefix, "auth:ticket:");
    }

    if (mcf->tickets.timeout == 0) {
        mcf->tickets.timeout = NGX_WS_MGR_TICKET_REDIS_TIMEOUT;
    }

    /* those who write tickets know one server */

    mcf->tickets.redis = *(ngx_ws_mgr_redis_conf_t **) mcf->redis->elts;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_mgr_conf_engine_init(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf)
{
    ngx_uint_t                       i;
    ngx_ws_mgr_redis_conf_t        **servers;
    ngx_ws_mgr_engine_redis_conf_t  *engine;

    engine = &mcf->engine;

    if (mcf->redis == NULL) {
        ngx_ws_mgr_value_log(cf, NGX_LOG_EMERG, &mcf->engine_at,
                             "\"ws_mgr_engine redis\" has no server, use "
                             "\"ws_mgr_redis redis://host\" beside it");
        return NGX_ERROR;
    }

    if (engine->prefix.len == 0) {
        ngx_str_set(&engine->prefix, "ws_mgr:");
    }

    servers = mcf->redis->elts;

    engine->servers = mcf->redis;
    engine->match = ngx_ws_mgr_fanout_match;
    engine->names = ngx_palloc(cf->pool,
                               mcf->redis->nelts * sizeof(ngx_str_t));
    if (engine->names == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < mcf->redis->nelts; i++) {
        engine->names[i] = servers[i]->name;
    }

    return ngx_ws_mgr_ring_init(&engine->ring, engine->names,
                                mcf->redis->nelts, cf->pool);
}
