
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Scripts that the engine runs in Redis, and the numbers and letters that C
 * and Lua share.  The scripts are the .lua files of this folder; "make embed"
 * turns them into ngx_ws_mgr_engine_script.c.
 */


#ifndef _NGX_WS_MGR_ENGINE_SCRIPT_H_INCLUDED_
#define _NGX_WS_MGR_ENGINE_SCRIPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_redis.h>
#include <ngx_ws_mgr_run.h>


/* publish.lua: arguments before those of the events, arguments of each event,
   elements of the answer for each event */

#define NGX_WS_MGR_PUBLISH_ARGS     7
#define NGX_WS_MGR_PUBLISH_EACH     4
#define NGX_WS_MGR_PUBLISH_RESULT   5

#define NGX_WS_MGR_APPEND_NEW        0
#define NGX_WS_MGR_APPEND_DUPLICATE  1     /* the log has the event already */
#define NGX_WS_MGR_APPEND_CONFLICT   2     /* event_id of another event */
#define NGX_WS_MGR_APPEND_DISORDER   3     /* refused for its run order */

/* steps of a run; letters, so that an argument carries a tool's name as well */

#define NGX_WS_MGR_STEP_STARTED     's'
#define NGX_WS_MGR_STEP_EXECUTING   'x'
#define NGX_WS_MGR_STEP_COMPLETED   'c'
#define NGX_WS_MGR_STEP_ENDED       'e'
#define NGX_WS_MGR_STEP_OTHER       'o'

/* events that one publish evicts, at most, for each event of its own */

#define NGX_WS_MGR_ENGINE_TRIM      64

/* messages on a worker's channel */

#define NGX_WS_MGR_TELL_EVENTS      'E'    /* a user has new events */
#define NGX_WS_MGR_TELL_JOINED      'J'    /* a user has sockets now */
#define NGX_WS_MGR_TELL_KICK        'K'    /* close the sockets of a user */
#define NGX_WS_MGR_TELL_CUT         'C'    /* close one connection */


extern ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_instance;
extern ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_nodes;
extern ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_publish;
extern ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_sync;
extern ngx_ws_mgr_redis_script_t  ngx_ws_mgr_engine_script_tell;


/* hashes the scripts: before the first call of one */
void ngx_ws_mgr_engine_script_init(void);


#endif /* _NGX_WS_MGR_ENGINE_SCRIPT_H_INCLUDED_ */
