
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The engine of many nodes, in Redis.  Of a user, whose name is the hash tag of
 * all its keys, there are
 *
 *     <prefix>{user}:log      epoch, last seq, highest seq that is gone, bytes
 *     <prefix>{user}:events   the stream; an entry's id is "<seq>-0"
 *     <prefix>{user}:ids      event_id: seq, nodes
 *     <prefix>{user}:runs     run_id: how far it is
 *     <prefix>{user}:members  "<node>.<slot>" of a worker: its sockets
 *
 * A worker listens to one channel of its own, and a publish tells the workers
 * that are members.  Whoever is a member and is not heard to listen is none
 * any more: it comes again by itself when it listens again, and fills what it
 * has missed from the stream.
 */


#ifndef _NGX_WS_MGR_ENGINE_REDIS_H_INCLUDED_
#define _NGX_WS_MGR_ENGINE_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_redis.h>
#include <ngx_ws_mgr_consistent_hash.h>


#define NGX_WS_MGR_ENGINE_PREFIX  128      /* bytes, at most */


typedef struct {
    ngx_array_t              *servers;     /* ngx_ws_mgr_redis_conf_t * */
    ngx_str_t                *names;       /* of them */
    ngx_ws_mgr_ring_t         ring;
    ngx_str_t                 prefix;
    ngx_ws_mgr_match_pt       match;       /* as ngx_ws_mgr_publish_t's */
} ngx_ws_mgr_engine_redis_conf_t;


/*
 * In a worker, attached to node and shards: takes over as the engine.  "first"
 * is a connection to the first server that is there already, or NULL.
 */
ngx_int_t ngx_ws_mgr_engine_redis_init(ngx_ws_mgr_engine_redis_conf_t *conf,
    ngx_ws_mgr_redis_t *first, ngx_cycle_t *cycle);

/* in exit_process, before ngx_ws_mgr_redis_exit() */
void ngx_ws_mgr_engine_redis_exit(void);


#endif /* _NGX_WS_MGR_ENGINE_REDIS_H_INCLUDED_ */
