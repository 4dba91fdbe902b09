
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>


u_char *
ngx_ws_mgr_registry_conn_id(u_char *p, uint64_t number)
{
    p = ngx_cpymem(p, ngx_ws_mgr_node->name, NGX_WS_MGR_NODE_LEN);

    return ngx_sprintf(p, "-%016xL", number);
}


ngx_int_t
ngx_ws_mgr_registry_conn_number(ngx_str_t *id, uint64_t *number)
{
    u_char      *p;
    ngx_int_t    high, low;

    if (id->len != NGX_WS_MGR_CONN_LEN
        || ngx_memcmp(id->data, ngx_ws_mgr_node->name, NGX_WS_MGR_NODE_LEN)
        || id->data[NGX_WS_MGR_NODE_LEN] != '-')
    {
        return NGX_DECLINED;
    }

    p = id->data + NGX_WS_MGR_NODE_LEN + 1;
    high = ngx_hextoi(p, 8);
    low = ngx_hextoi(p + 8, 8);

    if (high == NGX_ERROR || low == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *number = (uint64_t) high << 32 | (uint64_t) low;

    return NGX_OK;
}
