
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What a worker does now and then: it sweeps up behind dead ones, lets go of
 * what is too old, and ends the runs that are overdue.
 */


#ifndef _NGX_WS_MGR_HOUSEKEEPING_H_INCLUDED_
#define _NGX_WS_MGR_HOUSEKEEPING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* in a worker that has attached; "look" is called each time as well */
void ngx_ws_mgr_tidy_start(ngx_cycle_t *cycle, void (*look)(void));


#endif /* _NGX_WS_MGR_HOUSEKEEPING_H_INCLUDED_ */
