
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_envelope.h>
#include <ngx_ws_mgr_run.h>


static ngx_ws_mgr_run_tool_t *ngx_ws_mgr_run_tool(ngx_ws_mgr_run_t *run,
    ngx_str_t *name);
static ngx_uint_t ngx_ws_mgr_run_ends(ngx_uint_t known);


ngx_ws_mgr_run_t *
ngx_ws_mgr_run_find(ngx_ws_mgr_runs_t *runs, ngx_str_t *id)
{
    ngx_queue_t       *q;
    ngx_ws_mgr_run_t  *run;

    if (runs == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&runs->queue);
         q != ngx_queue_sentinel(&runs->queue);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_ws_mgr_run_t, queue);

        if (run->len == id->len
            && ngx_memcmp(run->id, id->data, id->len) == 0)
        {
            return run;
        }
    }

    return NULL;
}


const char *
ngx_ws_mgr_run_check(ngx_ws_mgr_run_t *run, ngx_ws_mgr_run_event_t *event)
{
    ngx_ws_mgr_run_tool_t  *tool;

    if (event->known == NGX_WS_MGR_TYPE_OTHER) {
        return NULL;
    }

    if (run && run->ended) {
        return ngx_ws_mgr_run_fault(NGX_WS_MGR_RUN_ENDED);
    }

    if (event->known == NGX_WS_MGR_TYPE_AGENT_STARTED) {
        return (run && run->started)
               ? ngx_ws_mgr_run_fault(NGX_WS_MGR_RUN_AGAIN) : NULL;
    }

    if (run == NULL || !run->started) {
        return ngx_ws_mgr_run_fault(NGX_WS_MGR_RUN_UNBEGUN);
    }

    if (event->known == NGX_WS_MGR_TYPE_TOOL_COMPLETED && !run->overflow) {
        tool = ngx_ws_mgr_run_tool(run, &event->tool);

        if (tool == NULL || tool->open == 0) {
            return ngx_ws_mgr_run_fault(NGX_WS_MGR_RUN_NO_TOOL);
        }
    }

    return NULL;
}


const char *
ngx_ws_mgr_run_fault(ngx_uint_t fault)
{
    static const char  *faults[] = {
        NULL,
        "the run has ended",
        "the run has started already",
        "the run has not started: agent_started comes first",
        "tool_completed without its tool_executing"
    };

    return fault < sizeof(faults) / sizeof(faults[0]) ? faults[fault] : NULL;
}


void
ngx_ws_mgr_run_note(ngx_ws_mgr_run_t *run, ngx_ws_mgr_run_event_t *event,
    uint64_t now)
{
    ngx_ws_mgr_run_tool_t  *tool;

    run->last = now;
    run->events++;
    run->tokens.input_tokens += event->tokens.input_tokens;
    run->tokens.output_tokens += event->tokens.output_tokens;
    run->tokens.cost += event->tokens.cost;

    if (event->known == NGX_WS_MGR_TYPE_AGENT_STARTED) {
        run->started = 1;
        return;
    }

    if (ngx_ws_mgr_run_ends(event->known)) {
        run->ended = 1;
        return;
    }

    if (event->known != NGX_WS_MGR_TYPE_TOOL_EXECUTING
        && event->known != NGX_WS_MGR_TYPE_TOOL_COMPLETED)
    {
        return;
    }

    tool = ngx_ws_mgr_run_tool(run, &event->tool);

    if (event->known == NGX_WS_MGR_TYPE_TOOL_EXECUTING) {

        if (tool == NULL) {
            run->overflow = 1;

        } else {
            tool->open++;
        }

    } else if (tool && tool->open) {
        tool->open--;
    }
}


void
ngx_ws_mgr_run_init(ngx_ws_mgr_runs_t *runs, ngx_ws_mgr_run_t *run,
    ngx_ws_mgr_run_event_t *event)
{
    run->len = (uint8_t) event->id.len;
    ngx_memcpy(run->id, event->id.data, event->id.len);

    run->thread_len = (uint8_t) event->thread.len;

    if (event->thread.len) {
        ngx_memcpy(ngx_ws_mgr_run_thread(run), event->thread.data,
                   event->thread.len);
    }

    ngx_queue_insert_head(&runs->queue, &run->queue);
    runs->n++;
}


/* the tool's place, or a free one that becomes it; NULL: all are taken */

static ngx_ws_mgr_run_tool_t *
ngx_ws_mgr_run_tool(ngx_ws_mgr_run_t *run, ngx_str_t *name)
{
    uint32_t                hash;
    ngx_uint_t              i;
    ngx_ws_mgr_run_tool_t  *tool, *spare;

    hash = ngx_murmur_hash2(name->data, name->len);
    spare = NULL;

    for (i = 0; i < NGX_WS_MGR_RUN_TOOLS; i++) {
        tool = &run->tools[i];

        if (tool->open && tool->name == hash) {
            return tool;
        }

        if (tool->open == 0 && spare == NULL) {
            spare = tool;
        }
    }

    if (spare) {
        spare->name = hash;
    }

    return spare;
}


static ngx_uint_t
ngx_ws_mgr_run_ends(ngx_uint_t known)
{
    return known == NGX_WS_MGR_TYPE_AGENT_COMPLETED
           || known == NGX_WS_MGR_TYPE_AGENT_FAILED
           || known == NGX_WS_MGR_TYPE_AGENT_ERROR
           || known == NGX_WS_MGR_TYPE_AGENT_DEATH;
}
