
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One eventfd a worker slot, made once by the master before its first fork,
 * so that workers of every generation can ring every other.
 */


#ifndef _NGX_WS_MGR_BELL_H_INCLUDED_
#define _NGX_WS_MGR_BELL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_node.h>


/* in init_module: makes the eventfds where the node has none yet; they go with
   the last cycle in a row */
ngx_int_t ngx_ws_mgr_bell_create(ngx_ws_mgr_node_t *node, ngx_cycle_t *cycle);

/* in init_process, after the node is attached to: "heard" is called from the
   event loop, after the events of the same turn, when this worker is rung */
ngx_int_t ngx_ws_mgr_bell_listen(ngx_cycle_t *cycle, void (*heard)(void));
void ngx_ws_mgr_bell_close(void);

/* never blocks; ringing oneself costs no system call */
void ngx_ws_mgr_bell_ring(ngx_uint_t slot);


#endif /* _NGX_WS_MGR_BELL_H_INCLUDED_ */
