
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The script that the ticket store runs in Redis, and the words and numbers
 * that C and Lua share.  The script is store.lua; "make embed" turns it into
 * ngx_ws_mgr_ticket_script.c.
 */


#ifndef _NGX_WS_MGR_TICKET_SCRIPT_H_INCLUDED_
#define _NGX_WS_MGR_TICKET_SCRIPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_redis.h>


#define NGX_WS_MGR_TICKET_VERB_CONSUME  "consume"
#define NGX_WS_MGR_TICKET_VERB_ISSUE    "issue"
#define NGX_WS_MGR_TICKET_VERB_LOOK     "look"
#define NGX_WS_MGR_TICKET_VERB_REVOKE   "revoke"

#define NGX_WS_MGR_TICKET_WORD_OK       "ok"
#define NGX_WS_MGR_TICKET_WORD_UNKNOWN  "unknown"
#define NGX_WS_MGR_TICKET_WORD_INVALID  "invalid"
#define NGX_WS_MGR_TICKET_WORD_EXPIRED  "expired"
#define NGX_WS_MGR_TICKET_WORD_USED     "used"
#define NGX_WS_MGR_TICKET_WORD_TAKEN    "taken"

/* ms that a used ticket without a ttl is remembered, at most */

#define NGX_WS_MGR_TICKET_YEAR          31536000000


extern ngx_ws_mgr_redis_script_t  ngx_ws_mgr_ticket_script_store;


/* hashes the scripts: before the first call of one */
void ngx_ws_mgr_ticket_script_init(void);


#endif /* _NGX_WS_MGR_TICKET_SCRIPT_H_INCLUDED_ */
