
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_counter.h>


static uint64_t  ngx_ws_mgr_counter_scratch[NGX_WS_MGR_COUNTERS];


const ngx_ws_mgr_counter_desc_t  ngx_ws_mgr_counter_table[] = {
#define NGX_WS_MGR_COUNTER_ROW(name, metric, labels, help)                    \
    { metric, labels, help },
    NGX_WS_MGR_COUNTER_TABLE(NGX_WS_MGR_COUNTER_ROW)
#undef NGX_WS_MGR_COUNTER_ROW
};

uint64_t  *ngx_ws_mgr_counters = ngx_ws_mgr_counter_scratch;

ngx_uint_t  ngx_ws_mgr_counters_shared;
