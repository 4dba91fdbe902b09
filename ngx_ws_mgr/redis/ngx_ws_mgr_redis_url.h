
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Where a Redis server is, as people write it.
 */


#ifndef _NGX_WS_MGR_REDIS_URL_H_INCLUDED_
#define _NGX_WS_MGR_REDIS_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_redis.h>


#define NGX_WS_MGR_REDIS_DB  1000000


/*
 * Reads "redis://[user:password@]host[:port][/db]" or "unix:/path" into the
 * name, the addresses, the user, the password and the db of *conf; a name of a
 * host is resolved, which blocks.  NGX_ERROR: no memory; NGX_DECLINED: it is
 * none, "*error" says why; that has no password in it.
 */
ngx_int_t ngx_ws_mgr_redis_url(ngx_pool_t *pool, ngx_str_t *url,
    ngx_ws_mgr_redis_conf_t *conf, const char **error);


#endif /* _NGX_WS_MGR_REDIS_URL_H_INCLUDED_ */
