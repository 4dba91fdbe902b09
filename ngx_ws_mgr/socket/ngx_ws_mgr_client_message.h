
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What clients say (PROTOCOL section 3): ping, acknowledgements, which thread
 * is shown, session_restore; all else is for the agent backend, or gets an
 * error frame.
 */


#ifndef _NGX_WS_MGR_CLIENT_MESSAGE_H_INCLUDED_
#define _NGX_WS_MGR_CLIENT_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_fanout.h>


#define NGX_WS_MGR_MESSAGE_BAD  32     /* refused ones before a close 4508 */


/* codes of error frames */

typedef struct {
    const char  *code;
    const char  *message;
} ngx_ws_mgr_message_error_t;


/*
 * Handles one whole message of the client, which it may close.  NGX_DECLINED:
 * it is not for us but, where "ref" is not NULL, for the agent backend;
 * *ref, a part of the payload or empty, is what an error frame repeats.
 */
ngx_int_t ngx_ws_mgr_message_handle(ngx_ws_mgr_client_t *client,
    ngx_uint_t opcode, ngx_str_t *payload, ngx_str_t *ref);

/* sends an error frame about a message that was itself in order; "ref" is a
   JSON string, or empty.  The client may have been left afterwards. */
void ngx_ws_mgr_message_error(ngx_ws_mgr_client_t *client,
    const ngx_ws_mgr_message_error_t *error, ngx_str_t *ref);

/* a message that came over the rate: error frame, and 4508 in the end */
void ngx_ws_mgr_message_limited(ngx_ws_mgr_client_t *client);

/* {"type":"heartbeat", …} */
void ngx_ws_mgr_message_heartbeat(ngx_ws_mgr_client_t *client);

/* {"type":"server_shutdown", …} */
void ngx_ws_mgr_message_shutdown(ngx_ws_mgr_client_t *client,
    ngx_msec_t reconnect_ms);


#endif /* _NGX_WS_MGR_CLIENT_MESSAGE_H_INCLUDED_ */
