
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What every unit test has.  A test file t/unit/<noun>.c mirrors
 * ngx_ws_mgr_<noun>.c and defines
 *
 *     int ngx_ws_mgr_unit_<noun>(void)
 *
 * which returns what cmocka_run_group_tests() returns.  Each becomes a module
 * of its own that runs inside nginx, under "nginx -t" (see unit.c).
 */


#ifndef _NGX_WS_MGR_UNIT_H_INCLUDED_
#define _NGX_WS_MGR_UNIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>


/* the cycle that is being tested; its log is stderr */
extern ngx_cycle_t  *ngx_ws_mgr_unit_cycle;

/* a pool; the caller destroys it.  Never NULL: the test fails instead */
ngx_pool_t *ngx_ws_mgr_unit_pool(void);

/*
 * A slab pool in memory that forked children share, as nginx sets up a zone;
 * never NULL.  To be given back by ngx_ws_mgr_unit_slab_free().
 */
ngx_slab_pool_t *ngx_ws_mgr_unit_slab(size_t size);
void ngx_ws_mgr_unit_slab_free(ngx_slab_pool_t *shpool);

/*
 * What a function that adds zones at configuration time wants: a cycle of its
 * own without zones, in "pool".  ngx_ws_mgr_unit_zones() then makes the zones
 * that were added, as nginx does at start; they stay until the process ends.
 */
ngx_conf_t *ngx_ws_mgr_unit_conf(ngx_pool_t *pool);
ngx_int_t ngx_ws_mgr_unit_zones(ngx_conf_t *cf);

/* a ngx_str_t of a literal, as an expression */
#define ngx_ws_mgr_unit_str(text)                                             \
    ((ngx_str_t) { sizeof(text) - 1, (u_char *) (text) })


#endif /* _NGX_WS_MGR_UNIT_H_INCLUDED_ */
