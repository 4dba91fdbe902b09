
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The embedded ticket store: tickets live in the shards, each in the one that
 * the hash of its id gives.  It answers at once.  Tickets may take a quarter
 * of a shard; what is beyond is refused with NO_MEMORY.
 */


#ifndef _NGX_WS_MGR_TICKET_SHM_H_INCLUDED_
#define _NGX_WS_MGR_TICKET_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_ticket.h>


/* seconds for which an expired ticket is still told from an unknown one */
#define NGX_WS_MGR_TICKET_SHM_GRACE  60


extern const ngx_ws_mgr_ticket_store_t  ngx_ws_mgr_ticket_shm;


#endif /* _NGX_WS_MGR_TICKET_SHM_H_INCLUDED_ */
