
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the noun "fanout" share.  Not for others.
 */


#ifndef _NGX_WS_MGR_FANOUT_IO_H_INCLUDED_
#define _NGX_WS_MGR_FANOUT_IO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_fanout.h>


/* whose cursor that is, of those that read the hold's log */
#define ngx_ws_mgr_fanout_client(hold, sub)                                   \
    ((hold) == &ngx_ws_mgr_member_everyone                                    \
     ? ngx_queue_data(sub, ngx_ws_mgr_client_t, broadcast)                    \
     : ngx_queue_data(sub, ngx_ws_mgr_client_t, own))

/* the log that the client's cursor is into */
ngx_ws_mgr_hold_t *ngx_ws_mgr_fanout_hold(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);

/* writes what the log holds after the cursor, as the socket takes it */
void ngx_ws_mgr_fanout_pump_sub(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);


#endif /* _NGX_WS_MGR_FANOUT_IO_H_INCLUDED_ */
