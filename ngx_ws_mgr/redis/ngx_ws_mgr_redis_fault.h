
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#ifndef _NGX_WS_MGR_REDIS_FAULT_H_INCLUDED_
#define _NGX_WS_MGR_REDIS_FAULT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_redis.h>


#define NGX_WS_MGR_REDIS_FAULT  160        /* bytes of a fault's text */


/*
 * Notes the fault of a server, and logs the text when it changes; len 0:
 * nothing is wrong any more.
 */
void ngx_ws_mgr_redis_fault(ngx_ws_mgr_redis_t *redis, const void *text,
    size_t len);
#define ngx_ws_mgr_redis_fault_is(redis, literal)                             \
    ngx_ws_mgr_redis_fault(redis, literal, sizeof(literal) - 1)


#endif /* _NGX_WS_MGR_REDIS_FAULT_H_INCLUDED_ */
