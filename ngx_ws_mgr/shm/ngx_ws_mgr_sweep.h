
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What workers leave behind: connections and members of a process that is
 * gone, in bounded steps.
 */


#ifndef _NGX_WS_MGR_SWEEP_H_INCLUDED_
#define _NGX_WS_MGR_SWEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>


/*
 * One bounded step: looks for workers that died and sweeps what they left,
 * forgets users whose time is over.  Returns true if there is more to do at
 * once.
 */
ngx_uint_t ngx_ws_mgr_sweep_step(ngx_log_t *log);

/* in exit_process: sweeps what this worker has, all of it, and gives back its
   slot, if it has one; no connection may be made afterwards */
void ngx_ws_mgr_sweep_self(void);

/* one bounded step of the same, of a worker that has no connection and no wait
   any more; 0: the slot is given back */
ngx_uint_t ngx_ws_mgr_sweep_leave(void);



#endif /* _NGX_WS_MGR_SWEEP_H_INCLUDED_ */
