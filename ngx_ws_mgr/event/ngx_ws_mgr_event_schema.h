
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The known types of events and the members that each needs, and the classes
 * of events (PROTOCOL section 4).
 */


#ifndef _NGX_WS_MGR_EVENT_SCHEMA_H_INCLUDED_
#define _NGX_WS_MGR_EVENT_SCHEMA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* members that an event has, and that are not null */
#define NGX_WS_MGR_SCHEMA_RUN_ID          0x0001
#define NGX_WS_MGR_SCHEMA_AGENT_NAME      0x0002
#define NGX_WS_MGR_SCHEMA_TOOL_NAME       0x0004
#define NGX_WS_MGR_SCHEMA_REASONING       0x0008
#define NGX_WS_MGR_SCHEMA_THOUGHT         0x0010
#define NGX_WS_MGR_SCHEMA_RESULT          0x0020
#define NGX_WS_MGR_SCHEMA_RESULTS         0x0040
#define NGX_WS_MGR_SCHEMA_FINAL_RESPONSE  0x0080
#define NGX_WS_MGR_SCHEMA_STATUS          0x0100


typedef enum {
    NGX_WS_MGR_TYPE_OTHER = 0,
    NGX_WS_MGR_TYPE_AGENT_STARTED,
    NGX_WS_MGR_TYPE_AGENT_THINKING,
    NGX_WS_MGR_TYPE_TOOL_EXECUTING,
    NGX_WS_MGR_TYPE_TOOL_COMPLETED,
    NGX_WS_MGR_TYPE_AGENT_COMPLETED,
    NGX_WS_MGR_TYPE_AGENT_FAILED,          /* these three end a run too */
    NGX_WS_MGR_TYPE_AGENT_ERROR,
    NGX_WS_MGR_TYPE_AGENT_DEATH
} ngx_ws_mgr_type_e;


/* what may happen to an event on a socket that lags */

typedef enum {
    NGX_WS_MGR_CLASS_MUST = 0,             /* nothing */
    NGX_WS_MGR_CLASS_LATEST,               /* goes where a newer one came */
    NGX_WS_MGR_CLASS_DROP                  /* goes */
} ngx_ws_mgr_class_e;


ngx_ws_mgr_type_e ngx_ws_mgr_schema_type(ngx_str_t *name);

/* the first members that the type lacks, e.g. "tool_name"; NULL: none */
const char *ngx_ws_mgr_schema_missing(ngx_ws_mgr_type_e type, ngx_uint_t has);


#endif /* _NGX_WS_MGR_EVENT_SCHEMA_H_INCLUDED_ */
