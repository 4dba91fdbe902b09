
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What a worker does when a shard was lost, since another died in the midst
 * of a change: it forgets at once all that pointed into it, then registers its
 * sockets again, a slice of them at a time, and tells each of the reset.
 */


#ifndef _NGX_WS_MGR_SHARD_LOST_H_INCLUDED_
#define _NGX_WS_MGR_SHARD_LOST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* in a worker's init_process */
void ngx_ws_mgr_rejoin_init(ngx_cycle_t *cycle);


#endif /* _NGX_WS_MGR_SHARD_LOST_H_INCLUDED_ */
