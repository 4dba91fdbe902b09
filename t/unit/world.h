
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A node with shards for the tests of nouns that live in shared memory, and
 * this process as one of its workers.
 */


#ifndef _NGX_WS_MGR_WORLD_H_INCLUDED_
#define _NGX_WS_MGR_WORLD_H_INCLUDED_


#include "unit.h"
#include <sys/wait.h>
#include <unistd.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_sweep.h>


#define WORLD_SIZE  (1024 * 1024)


static ngx_pool_t                  *world_pool;
static ngx_ws_mgr_registry_conf_t   world_conf;
static ngx_uint_t                   world_wakes[NGX_WS_MGR_SLOTS];
static ngx_ws_mgr_place_t           world_places[4096];
static ngx_uint_t                   world_nplaces;


static void
world_wake(ngx_uint_t slot)
{
    world_wakes[slot]++;
}


static inline int
world_setup(void **state)
{
    ngx_conf_t  *cf;

    (void) state;

    ngx_memzero(world_wakes, sizeof(world_wakes));
    world_nplaces = 0;
    ngx_memzero(&world_conf, sizeof(world_conf));

    world_conf.nshards = 2;
    world_conf.size = 2 * WORLD_SIZE;
    world_conf.limits.events = 16;
    world_conf.limits.bytes = 65536;
    world_conf.limits.age = 600000;

    world_pool = ngx_ws_mgr_unit_pool();
    cf = ngx_ws_mgr_unit_conf(world_pool);

    assert_int_equal(ngx_ws_mgr_shard_zones(cf, &world_conf, &world_conf),
                     NGX_OK);
    assert_int_equal(ngx_ws_mgr_unit_zones(cf), NGX_OK);

    ngx_ws_mgr_shard_attach(&world_conf);
    ngx_ws_mgr_member_init(world_wake);

    ngx_ws_mgr_node_attach(world_conf.node_zone);
    assert_int_equal(ngx_ws_mgr_node_take(ngx_ws_mgr_unit_cycle->log), NGX_OK);

    return 0;
}


/* what a worker that ends leaves to the system */

static inline void
world_free_holds(void)
{
    ngx_uint_t          i, k;
    ngx_ws_mgr_hold_t  *hold;

    for (i = 0; i < world_nplaces; i++) {
        hold = world_places[i].hold;

        for (k = i; hold && k < world_nplaces; k++) {
            if (world_places[k].hold == hold) {
                world_places[k].hold = NULL;
            }
        }

        if (hold) {
            ngx_free(hold);
        }

        if (world_places[i].thread) {
            ngx_free(world_places[i].thread);
        }
    }
}


/* whatever the test did, nothing of this worker's is left */

static inline int
world_teardown(void **state)
{
    ngx_ws_mgr_usage_t  usage;

    (void) state;

    ngx_ws_mgr_sweep_self();
    world_free_holds();
    ngx_ws_mgr_census_usage(&usage);

    assert_int_equal(usage.users, 0);
    assert_int_equal(usage.connections, 0);

    ngx_destroy_pool(world_pool);

    return 0;
}


/* what a worker does that another process is; it dies at the end without a
   goodbye */

static inline void
world_other(void (*deed)(void))
{
    int    status;
    pid_t  pid;

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        ngx_pid = getpid();

        ngx_ws_mgr_node_attach(world_conf.node_zone);

        if (ngx_ws_mgr_node_take(ngx_ws_mgr_unit_cycle->log) != NGX_OK) {
            _exit(1);
        }

        deed();
        kill(getpid(), SIGKILL);
        _exit(1);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}


static inline ngx_ws_mgr_place_t *
world_connect(const char *name)
{
    ngx_str_t            user;
    ngx_ws_mgr_seek_t    seek;
    ngx_ws_mgr_place_t  *place;

    user.data = (u_char *) name;
    user.len = strlen(name);
    place = &world_places[world_nplaces++];

    if (ngx_ws_mgr_registry_connect(&user, 0, 0, place) != NGX_OK) {
        world_nplaces--;
        return NULL;
    }

    ngx_memzero(&seek, sizeof(seek));
    ngx_ws_mgr_registry_open(place, &seek);

    return place;
}


/* this worker has looked at all that it was told of */

static inline void
world_look(void)
{
    ngx_uint_t          i;
    ngx_ws_mgr_dirty_t  dirty;

    for (i = 0; i < world_conf.nshards; i++) {
        while (ngx_ws_mgr_member_next_dirty(i, &dirty) == NGX_OK) {
            /* void */
        }
    }
}


static inline void
world_fill(ngx_ws_mgr_publish_t *p, const char *name, const char *posted,
    const char *event_id)
{
    static ngx_str_t  piece;

    piece.data = (u_char *) posted;
    piece.len = strlen(posted);

    ngx_memzero(p, sizeof(ngx_ws_mgr_publish_t));
    p->user.data = (u_char *) name;
    p->user.len = strlen(name);
    p->entry.pieces = &piece;
    p->entry.npieces = 1;
    p->entry.size = piece.len;
    p->entry.now = ngx_ws_mgr_now();
    p->entry.event_id.data = (u_char *) event_id;
    p->entry.event_id.len = event_id ? strlen(event_id) : 0;
}


static inline ngx_ws_mgr_publish_result_e
world_publish(ngx_ws_mgr_publish_t *p, const char *name, const char *posted,
    const char *event_id)
{
    world_fill(p, name, posted, event_id);

    return ngx_ws_mgr_publish(p);
}


static inline ngx_uint_t
world_online(const char *name)
{
    ngx_str_t               user;
    ngx_ws_mgr_user_info_t  info;

    user.data = (u_char *) name;
    user.len = strlen(name);

    return ngx_ws_mgr_census_user_info(&user, &info) == NGX_OK
           ? info.connections : 0;
}


#endif /* _NGX_WS_MGR_WORLD_H_INCLUDED_ */
