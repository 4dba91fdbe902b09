
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The ticket store in Redis: "<prefix><ticket_id>" is a record that any
 * service may write.  One script looks at a ticket and takes it, so that of
 * many upgrades that race one gets in.  What was taken is "{"used":true}" for
 * as long as the key lives.
 */


#ifndef _NGX_WS_MGR_TICKET_REDIS_H_INCLUDED_
#define _NGX_WS_MGR_TICKET_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_redis.h>
#include <ngx_ws_mgr_ticket.h>


#define NGX_WS_MGR_TICKET_REDIS_TIMEOUT  250   /* ms */
#define NGX_WS_MGR_TICKET_REDIS_PREFIX   128   /* bytes, at most */

/* seconds for which an expired ticket is still told from an unknown one */
#define NGX_WS_MGR_TICKET_REDIS_GRACE    60


typedef struct {
    ngx_ws_mgr_redis_conf_t   *redis;
    ngx_str_t                  prefix;
    ngx_msec_t                 timeout;    /* of an operation */
} ngx_ws_mgr_ticket_redis_conf_t;


extern const ngx_ws_mgr_ticket_store_t  ngx_ws_mgr_ticket_redis;


/* in a worker, before the first operation; the connection to the server, which
   others may use as well, or NULL: no memory */
ngx_ws_mgr_redis_t *ngx_ws_mgr_ticket_redis_init(
    ngx_ws_mgr_ticket_redis_conf_t *conf, ngx_cycle_t *cycle);


#endif /* _NGX_WS_MGR_TICKET_REDIS_H_INCLUDED_ */
