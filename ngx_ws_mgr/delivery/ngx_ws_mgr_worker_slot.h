
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * When this worker takes a slot of the node, and when it gives it back.
 */


#ifndef _NGX_WS_MGR_WORKER_SLOT_H_INCLUDED_
#define _NGX_WS_MGR_WORKER_SLOT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* in init_process, once the worker is of the node; takes a slot where one is
   free.  "heard" is as in ngx_ws_mgr_bell_listen() */
void ngx_ws_mgr_worker_slot_init(ngx_cycle_t *cycle, void (*heard)(void));

/* before a connection or a wait begins.  NGX_DECLINED: there is no slot, and
   this is not the time to wait for one */
ngx_int_t ngx_ws_mgr_worker_slot_need(void);

/* from a timer: looks for a slot, or gives back that of a worker that exits and
   has no connection and no wait.  Returns true if there is more to do at
   once */
ngx_uint_t ngx_ws_mgr_worker_slot_tick(void);


#endif /* _NGX_WS_MGR_WORKER_SLOT_H_INCLUDED_ */
