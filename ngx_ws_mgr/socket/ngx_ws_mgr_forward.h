
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Client messages to the agent backend (PROTOCOL section 6): those of one
 * connection one after the other, in order, also after it has ended.
 */


#ifndef _NGX_WS_MGR_FORWARD_H_INCLUDED_
#define _NGX_WS_MGR_FORWARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_fanout.h>


/* what may wait for the backend, of one connection and of one worker; a
   message that is alone may be of any size */
#define NGX_WS_MGR_FORWARD_MESSAGES         64
#define NGX_WS_MGR_FORWARD_BYTES            (1024 * 1024)
#define NGX_WS_MGR_FORWARD_WORKER_BYTES     (64 * 1024 * 1024)


/* bytes behind a client whose location forwards, to be allocated with it and
   set at once; the client's size is that of ngx_ws_mgr_fanout_client_size() */
size_t ngx_ws_mgr_forward_size(ngx_str_t *permissions);
void ngx_ws_mgr_forward_init(ngx_ws_mgr_client_t *client,
    ngx_str_t *permissions);

/*
 * Takes over a message, which is copied.  "ref" is what an error frame repeats,
 * a JSON string as it stands, or empty.  What cannot be taken is told to the
 * client.
 */
void ngx_ws_mgr_forward_message(ngx_ws_mgr_client_t *client,
    ngx_uint_t opcode, ngx_str_t *payload, ngx_str_t *ref);

/* the client is about to leave the registry: what waits goes on without it */
void ngx_ws_mgr_forward_leave(ngx_ws_mgr_client_t *client);


#endif /* _NGX_WS_MGR_FORWARD_H_INCLUDED_ */
