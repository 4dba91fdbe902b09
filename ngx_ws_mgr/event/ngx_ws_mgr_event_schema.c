
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_event_schema.h>


typedef struct {
    ngx_uint_t            members;         /* one of them is needed */
    const char           *missing;
} ngx_ws_mgr_schema_need_t;


/* in the order of ngx_ws_mgr_type_e */

static const ngx_str_t  ngx_ws_mgr_schema_types[] = {
    ngx_null_string,
    ngx_string("agent_started"),
    ngx_string("agent_thinking"),
    ngx_string("tool_executing"),
    ngx_string("tool_completed"),
    ngx_string("agent_completed"),
    ngx_string("agent_failed"),
    ngx_string("agent_error"),
    ngx_string("agent_death")
};


static const ngx_ws_mgr_schema_need_t  ngx_ws_mgr_schema_needs[][3] = {

    { { 0, NULL } },

    { { NGX_WS_MGR_SCHEMA_RUN_ID, "run_id" },
      { NGX_WS_MGR_SCHEMA_AGENT_NAME, "agent_name" } },

    { { NGX_WS_MGR_SCHEMA_RUN_ID, "run_id" },
      { NGX_WS_MGR_SCHEMA_REASONING|NGX_WS_MGR_SCHEMA_THOUGHT,
        "one of reasoning, thought" } },

    { { NGX_WS_MGR_SCHEMA_RUN_ID, "run_id" },
      { NGX_WS_MGR_SCHEMA_TOOL_NAME, "tool_name" } },

    { { NGX_WS_MGR_SCHEMA_RUN_ID, "run_id" },
      { NGX_WS_MGR_SCHEMA_TOOL_NAME, "tool_name" },
      { NGX_WS_MGR_SCHEMA_RESULTS|NGX_WS_MGR_SCHEMA_RESULT,
        "one of results, result" } },

    { { NGX_WS_MGR_SCHEMA_RUN_ID, "run_id" },
      { NGX_WS_MGR_SCHEMA_FINAL_RESPONSE|NGX_WS_MGR_SCHEMA_RESULT
        |NGX_WS_MGR_SCHEMA_STATUS, "one of final_response, result, status" } },

    { { 0, NULL } },
    { { 0, NULL } },
    { { 0, NULL } }
};


ngx_ws_mgr_type_e
ngx_ws_mgr_schema_type(ngx_str_t *name)
{
    ngx_uint_t        i;
    const ngx_str_t  *type;

    for (i = NGX_WS_MGR_TYPE_AGENT_STARTED;
         i <= NGX_WS_MGR_TYPE_AGENT_DEATH;
         i++)
    {
        type = &ngx_ws_mgr_schema_types[i];

        if (type->len == name->len
            && ngx_memcmp(type->data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    return NGX_WS_MGR_TYPE_OTHER;
}


const char *
ngx_ws_mgr_schema_missing(ngx_ws_mgr_type_e type, ngx_uint_t has)
{
    ngx_uint_t                       i;
    const ngx_ws_mgr_schema_need_t  *need;

    for (i = 0; i < 3; i++) {
        need = &ngx_ws_mgr_schema_needs[type][i];

        if (need->members && !(has & need->members)) {
            return need->missing;
        }
    }

    return NULL;
}
