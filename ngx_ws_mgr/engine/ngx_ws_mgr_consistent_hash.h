
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Names spread over servers by consistent hash: a server that is added takes
 * its share from all others, and moves nothing else.  Every node that knows
 * the servers by the same names, in whatever order, finds a name at the same
 * one.
 */


#ifndef _NGX_WS_MGR_CONSISTENT_HASH_H_INCLUDED_
#define _NGX_WS_MGR_CONSISTENT_HASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_RING_SERVERS  64        /* at most */
#define NGX_WS_MGR_RING_POINTS   160       /* of each */


typedef struct {
    uint32_t                 hash;
    uint32_t                 server;
    ngx_str_t               *name;         /* of the server */
} ngx_ws_mgr_ring_point_t;


typedef struct {
    ngx_ws_mgr_ring_point_t *points;       /* by hash */
    ngx_uint_t               npoints;
} ngx_ws_mgr_ring_t;


/* of n servers with these names, which stay; NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_ring_init(ngx_ws_mgr_ring_t *ring, ngx_str_t *names,
    ngx_uint_t n, ngx_pool_t *pool);

/* the index of the server where the name is */
ngx_uint_t ngx_ws_mgr_ring_server(ngx_ws_mgr_ring_t *ring, ngx_str_t *name);


#endif /* _NGX_WS_MGR_CONSISTENT_HASH_H_INCLUDED_ */
