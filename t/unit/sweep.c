
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "world.h"


#define USERS  1000


static void
sweep(void)
{
    while (ngx_ws_mgr_sweep_step(ngx_ws_mgr_unit_cycle->log)) { /* void */ }
}


static void
connect_many(void)
{
    ngx_int_t  i;
    char       name[16];

    for (i = 0; i < USERS; i++) {
        snprintf(name, sizeof(name), "u%d", (int) i);
        (void) world_connect(name);
        (void) ngx_ws_mgr_node_admit(0);
    }

    /* more of one than a slice takes */

    for (i = 0; i < 3 * NGX_WS_MGR_SLICE; i++) {
        (void) world_connect("many");
    }

    (void) world_connect("both");
    (void) world_connect("both");
}


static void
test_dead_worker(void **state)
{
    ngx_uint_t            other;
    ngx_ws_mgr_usage_t    usage;
    ngx_ws_mgr_publish_t  p;

    (void) state;

    (void) world_connect("both");
    other = ngx_ws_mgr_slot ? 0 : 1;

    world_other(connect_many);

    assert_int_equal(world_online("both"), 3);
    assert_int_equal(ngx_ws_mgr_node_connections(), USERS);

    sweep();

    assert_int_equal(world_online("both"), 1);
    assert_int_equal(ngx_ws_mgr_node_connections(), 0);
    assert_int_equal(ngx_ws_mgr_node_counter(NGX_WS_MGR_DEAD_WORKERS), 1);
    assert_int_equal(ngx_ws_mgr_node->slots[other].state,
                     NGX_WS_MGR_SLOT_FREE);

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.users, 1);
    assert_int_equal(usage.connections, 1);

    /* the living one is still told */
    (void) world_publish(&p, "both", "\"type\":\"x\"}", NULL);
    assert_int_equal(p.sockets, 1);
    assert_int_equal(world_wakes[ngx_ws_mgr_slot], 1);
    assert_int_equal(world_wakes[other], 0);
}


static void
die_while_sweeping(void)
{
    (void) ngx_ws_mgr_sweep_step(ngx_ws_mgr_unit_cycle->log);
}


static void
test_dead_sweeper(void **state)
{
    ngx_ws_mgr_usage_t  usage;

    (void) state;

    world_other(connect_many);
    world_other(die_while_sweeping);
    sweep();

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.users, 0);
    assert_int_equal(usage.connections, 0);
}


/* waits, and what it had yet to look at, go with a worker */

static void
wait_and_be_told(void)
{
    ngx_str_t             user;
    ngx_ws_mgr_member_t  *member;
    ngx_ws_mgr_publish_t  p;

    ngx_str_set(&user, "u1");

    (void) ngx_ws_mgr_member_wait(&user, &member);
    (void) world_connect("u1");
    (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);
}


static void
test_dead_worker_that_was_told(void **state)
{
    ngx_uint_t           i, other;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_shard_t  *shard;

    (void) state;

    other = ngx_ws_mgr_slot ? 0 : 1;
    conn = world_connect("u1")->conn;

    world_other(wait_and_be_told);

    assert_int_equal(conn->member->user->waiters, 1);

    sweep();

    assert_int_equal(conn->member->user->waiters, 0);
    assert_ptr_equal(conn->member->user->members, conn->member);
    assert_null(conn->member->next);

    for (i = 0; i < world_conf.nshards; i++) {
        shard = ngx_ws_mgr_shard_at(i);
        assert_null(shard->dirty[other].first);
        assert_null(shard->dirty[other].last);
    }
}


/* publishing while a sweep is half done must not tell the dead */

static void
test_publish_amid_sweep(void **state)
{
    ngx_int_t             i;
    ngx_ws_mgr_publish_t  p;
    char                  name[16];

    (void) state;

    world_other(connect_many);
    (void) ngx_ws_mgr_sweep_step(ngx_ws_mgr_unit_cycle->log);

    for (i = 0; i < USERS; i++) {
        snprintf(name, sizeof(name), "u%d", (int) i);
        assert_int_equal(world_publish(&p, name, "\"type\":\"x\"}", NULL),
                         NGX_WS_MGR_PUBLISH_OK);
    }

    sweep();

    for (i = 0; i < USERS; i++) {
        snprintf(name, sizeof(name), "u%d", (int) i);
        assert_int_equal(world_online(name), 0);
    }
}


static void
test_idle_users_expire(void **state)
{
    ngx_ws_mgr_usage_t    usage;
    ngx_ws_mgr_publish_t  p;

    (void) state;

    (void) world_publish(&p, "u1", "\"type\":\"x\"}", "e1");

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.logs, 1);

    sweep();
    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.logs, 1);

    world_conf.limits.age = 0;
    sweep();

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.logs, 0);
    assert_int_equal(usage.events, 0);
    assert_int_equal(usage.event_bytes, 0);
}


int
ngx_ws_mgr_unit_sweep(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_dead_worker, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_dead_sweeper, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_dead_worker_that_was_told,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_publish_amid_sweep, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_idle_users_expire, world_setup,
                                        world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
