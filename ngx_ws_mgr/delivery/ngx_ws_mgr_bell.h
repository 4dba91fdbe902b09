
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A datagram socket with a name for each worker that has a slot.  The name
 * is one that the kernel chooses in its abstract name space (unix(7),
 * "autobind") and stands in the slot, so that workers of every generation can
 * ring every other, whichever was forked first.  A datagram says nothing; what
 * there is to do stands in shared memory, which is looked at on a timer too.
 */


#ifndef _NGX_WS_MGR_BELL_H_INCLUDED_
#define _NGX_WS_MGR_BELL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_node.h>


/* in a worker that has taken its slot: "heard" is called from the event loop,
   after the events of the same turn, when this worker is rung */
ngx_int_t ngx_ws_mgr_bell_listen(ngx_log_t *log, void (*heard)(void));
void ngx_ws_mgr_bell_close(void);

/* never blocks; ringing oneself costs no system call */
void ngx_ws_mgr_bell_ring(ngx_uint_t slot);


#endif /* _NGX_WS_MGR_BELL_H_INCLUDED_ */
