
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_redis_url.h>


static ngx_int_t ngx_ws_mgr_redis_url_user(ngx_pool_t *pool, u_char *p,
    u_char *last, ngx_ws_mgr_redis_conf_t *conf, const char **error);
static ngx_int_t ngx_ws_mgr_redis_url_decode(ngx_pool_t *pool, u_char *p,
    u_char *last, ngx_str_t *value);
static ngx_int_t ngx_ws_mgr_redis_url_db(u_char *p, u_char *last,
    ngx_ws_mgr_redis_conf_t *conf, const char **error);
static ngx_int_t ngx_ws_mgr_redis_url_resolve(ngx_pool_t *pool,
    ngx_str_t *text, ngx_ws_mgr_redis_conf_t *conf, const char **error);
static ngx_uint_t ngx_ws_mgr_redis_url_begins(ngx_str_t *url,
    const char *with);


ngx_int_t
ngx_ws_mgr_redis_url(ngx_pool_t *pool, ngx_str_t *url,
    ngx_ws_mgr_redis_conf_t *conf, const char **error)
{
    u_char     *p, *last, *slash, *at;
    ngx_int_t   rc;
    ngx_str_t   host;

    if (ngx_ws_mgr_redis_url_begins(url, "unix:")) {
        return ngx_ws_mgr_redis_url_resolve(pool, url, conf, error);
    }

    if (ngx_ws_mgr_redis_url_begins(url, "rediss://")) {
        *error = "TLS to Redis is not there yet: a tunnel, such as stunnel's,"
                 " can have a unix socket";
        return NGX_DECLINED;
    }

    if (!ngx_ws_mgr_redis_url_begins(url, "redis://")) {
        *error = "its scheme is neither \"redis://\" nor \"unix:\"";
        return NGX_DECLINED;
    }

    p = url->data + sizeof("redis://") - 1;
    last = url->data + url->len;

    slash = ngx_strlchr(p, last, '/');

    if (slash == NULL) {
        slash = last;
    }

    for (at = slash; at > p && at[-1] != '@'; at--) { /* void */ }

    if (at > p) {
        rc = ngx_ws_mgr_redis_url_user(pool, p, at - 1, conf, error);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (slash < last) {
        rc = ngx_ws_mgr_redis_url_db(slash + 1, last, conf, error);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    host.data = at;
    host.len = slash - at;

    return ngx_ws_mgr_redis_url_resolve(pool, &host, conf, error);
}


static ngx_int_t
ngx_ws_mgr_redis_url_user(ngx_pool_t *pool, u_char *p, u_char *last,
    ngx_ws_mgr_redis_conf_t *conf, const char **error)
{
    u_char  *colon;

    colon = ngx_strlchr(p, last, ':');

    if (colon == NULL) {
        colon = last;
    }

    if (ngx_ws_mgr_redis_url_decode(pool, p, colon, &conf->user) != NGX_OK) {
        return NGX_ERROR;
    }

    if (colon == last) {
        return NGX_OK;
    }

    if (colon + 1 == last) {
        *error = "its password is empty";
        return NGX_DECLINED;
    }

    return ngx_ws_mgr_redis_url_decode(pool, colon + 1, last,
                                       &conf->password);
}


static ngx_int_t
ngx_ws_mgr_redis_url_decode(ngx_pool_t *pool, u_char *p, u_char *last,
    ngx_str_t *value)
{
    u_char  *dst;

    dst = ngx_pnalloc(pool, last - p + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;

    ngx_unescape_uri(&dst, &p, last - p, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_redis_url_db(u_char *p, u_char *last,
    ngx_ws_mgr_redis_conf_t *conf, const char **error)
{
    ngx_int_t  n;

    if (p == last) {
        return NGX_OK;
    }

    n = ngx_atoi(p, last - p);

    if (n == NGX_ERROR || n > NGX_WS_MGR_REDIS_DB) {
        *error = "what is behind the host is not the number of a database";
        return NGX_DECLINED;
    }

    conf->db = n;

    return NGX_OK;
}


/* as nginx does with an upstream */

static ngx_int_t
ngx_ws_mgr_redis_url_resolve(ngx_pool_t *pool, ngx_str_t *text,
    ngx_ws_mgr_redis_conf_t *conf, const char **error)
{
    ngx_url_t  u;

    if (text->len == 0) {
        *error = "it has no host";
        return NGX_DECLINED;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *text;
    u.default_port = 6379;

    if (ngx_parse_url(pool, &u) != NGX_OK) {
        *error = u.err ? u.err : "its host is not one";
        return NGX_DECLINED;
    }

    conf->addrs = u.addrs;
    conf->naddrs = u.naddrs;
    conf->name = *text;

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_mgr_redis_url_begins(ngx_str_t *url, const char *with)
{
    size_t  len;

    len = ngx_strlen(with);

    return url->len >= len && ngx_strncmp(url->data, with, len) == 0;
}
