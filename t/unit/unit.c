
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The loader: an nginx module whose init_module runs one group of cmocka
 * tests.  Compiled once for each noun, with NGX_WS_MGR_UNIT as the function
 * that runs the group.
 */


#include "unit.h"
#include <sys/mman.h>


int NGX_WS_MGR_UNIT(void);

static ngx_int_t ngx_ws_mgr_unit_run(ngx_cycle_t *cycle);


ngx_cycle_t  *ngx_ws_mgr_unit_cycle;


static ngx_core_module_t  ngx_ws_mgr_unit_module_ctx = {
    ngx_string("ws_mgr_unit"),
    NULL,
    NULL
};


ngx_module_t  ngx_ws_mgr_unit_module = {
    NGX_MODULE_V1,
    &ngx_ws_mgr_unit_module_ctx,           /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_ws_mgr_unit_run,                   /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* what nginx looks up in a dynamic module */

ngx_module_t  *ngx_modules[] = {
    &ngx_ws_mgr_unit_module,
    NULL
};


char  *ngx_module_names[] = {
    "ngx_ws_mgr_unit_module",
    NULL
};


char  *ngx_module_order[] = {
    NULL
};


static ngx_int_t
ngx_ws_mgr_unit_run(ngx_cycle_t *cycle)
{
    int  failed;

    ngx_cycle = cycle;
    ngx_ws_mgr_unit_cycle = cycle;

    failed = NGX_WS_MGR_UNIT();

    fflush(stdout);

    return (failed == 0) ? NGX_OK : NGX_ERROR;
}


ngx_pool_t *
ngx_ws_mgr_unit_pool(void)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_ws_mgr_unit_cycle->log);

    assert_non_null(pool);

    return pool;
}


ngx_slab_pool_t *
ngx_ws_mgr_unit_slab(size_t size)
{
    ngx_slab_pool_t  *shpool;

    size = ngx_align(size, ngx_pagesize);

    shpool = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                  -1, 0);

    assert_true(shpool != MAP_FAILED);

    shpool->end = (u_char *) shpool + size;
    shpool->min_shift = 3;
    shpool->addr = shpool;

    assert_int_equal(ngx_shmtx_create(&shpool->mutex, &shpool->lock, NULL),
                     NGX_OK);

    ngx_slab_init(shpool);

    return shpool;
}


void
ngx_ws_mgr_unit_slab_free(ngx_slab_pool_t *shpool)
{
    ngx_shmtx_destroy(&shpool->mutex);

    (void) munmap(shpool, shpool->end - (u_char *) shpool);
}


ngx_conf_t *
ngx_ws_mgr_unit_conf(ngx_pool_t *pool)
{
    ngx_conf_t   *cf;
    ngx_cycle_t  *cycle;

    cf = ngx_pcalloc(pool, sizeof(ngx_conf_t));
    cycle = ngx_pcalloc(pool, sizeof(ngx_cycle_t));

    assert_non_null(cf);
    assert_non_null(cycle);

    cycle->pool = pool;
    cycle->log = ngx_ws_mgr_unit_cycle->log;

    assert_int_equal(ngx_list_init(&cycle->shared_memory, pool, 4,
                                   sizeof(ngx_shm_zone_t)),
                     NGX_OK);

    cf->pool = pool;
    cf->temp_pool = pool;
    cf->cycle = cycle;
    cf->log = cycle->log;

    return cf;
}


ngx_int_t
ngx_ws_mgr_unit_zones(ngx_conf_t *cf)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *zone;
    ngx_slab_pool_t  *shpool;

    for (part = &cf->cycle->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            shpool = ngx_ws_mgr_unit_slab(zone[i].shm.size);

            zone[i].shm.log = cf->log;
            zone[i].shm.size = shpool->end - (u_char *) shpool;
            zone[i].shm.addr = (u_char *) shpool;

            if (zone[i].init(&zone[i], NULL) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}
