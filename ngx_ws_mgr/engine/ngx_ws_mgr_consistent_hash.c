
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_consistent_hash.h>


static int ngx_libc_cdecl ngx_ws_mgr_ring_compare(const void *one,
    const void *two);


ngx_int_t
ngx_ws_mgr_ring_init(ngx_ws_mgr_ring_t *ring, ngx_str_t *names, ngx_uint_t n,
    ngx_pool_t *pool)
{
    u_char                   *text;
    size_t                    len;
    ngx_uint_t                i, k;
    ngx_ws_mgr_ring_point_t  *point;

    ring->npoints = n * NGX_WS_MGR_RING_POINTS;
    ring->points = ngx_palloc(pool, ring->npoints
                                    * sizeof(ngx_ws_mgr_ring_point_t));
    if (ring->points == NULL) {
        return NGX_ERROR;
    }

    point = ring->points;

    for (i = 0; i < n; i++) {
        text = ngx_pnalloc(pool, names[i].len + 1 + NGX_INT_T_LEN);
        if (text == NULL) {
            return NGX_ERROR;
        }

        for (k = 0; k < NGX_WS_MGR_RING_POINTS; k++, point++) {
            len = ngx_sprintf(text, "%V-%ui", &names[i], k) - text;

            point->hash = ngx_murmur_hash2(text, len);
            point->server = (uint32_t) i;
            point->name = &names[i];
        }
    }

    ngx_qsort(ring->points, ring->npoints, sizeof(ngx_ws_mgr_ring_point_t),
              ngx_ws_mgr_ring_compare);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_ws_mgr_ring_compare(const void *one, const void *two)
{
    const ngx_ws_mgr_ring_point_t *first = one;
    const ngx_ws_mgr_ring_point_t *second = two;

    if (first->hash != second->hash) {
        return first->hash < second->hash ? -1 : 1;
    }

    /* not by index: another node may have another order */

    return ngx_memn2cmp(first->name->data, second->name->data,
                        first->name->len, second->name->len) < 0 ? -1 : 1;
}


ngx_uint_t
ngx_ws_mgr_ring_server(ngx_ws_mgr_ring_t *ring, ngx_str_t *name)
{
    uint32_t    hash;
    ngx_uint_t  low, high, mid;

    hash = ngx_murmur_hash2(name->data, name->len);

    /* the first point that is not below, or the first of all */

    low = 0;
    high = ring->npoints;

    while (low < high) {
        mid = (low + high) / 2;

        if (ring->points[mid].hash < hash) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    return ring->points[low % ring->npoints].server;
}
