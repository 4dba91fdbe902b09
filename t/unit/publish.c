
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "world.h"


static char  large[4096];


static void
test_wakes_once(void **state)
{
    ngx_uint_t             i;
    ngx_ws_mgr_publish_t   p;

    (void) state;

    (void) world_connect("u1");

    for (i = 1; i <= 3; i++) {
        assert_int_equal(world_publish(&p, "u1", "\"type\":\"x\"}", NULL),
                         NGX_WS_MGR_PUBLISH_OK);
        assert_int_equal(p.position.seq, i);
        assert_int_equal(p.sockets, 1);
    }

    assert_int_equal(world_wakes[ngx_ws_mgr_slot], 1);
    assert_true(ngx_ws_mgr_member_take_pending() != 0);
    assert_true(ngx_ws_mgr_member_take_pending() == 0);

    world_look();

    (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);
    assert_int_equal(world_wakes[ngx_ws_mgr_slot], 2);
}


static void
test_nobody_online(void **state)
{
    ngx_ws_mgr_publish_t  p;

    (void) state;

    assert_int_equal(world_publish(&p, "u1", "\"type\":\"x\"}", NULL),
                     NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(p.sockets, 0);
    assert_int_equal(p.position.seq, 1);
    assert_int_equal(world_wakes[ngx_ws_mgr_slot], 0);
}


static void
test_idempotent(void **state)
{
    ngx_ws_mgr_publish_t  p;

    (void) state;

    (void) world_connect("u1");
    (void) world_publish(&p, "u1", "\"type\":\"x\"}", "e1");
    assert_int_equal(p.duplicate, 0);

    (void) world_connect("u1");

    assert_int_equal(world_publish(&p, "u1", "\"type\":\"x\"}", "e1"),
                     NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(p.duplicate, 1);
    assert_int_equal(p.position.seq, 1);
    assert_int_equal(p.sockets, 1);

    assert_int_equal(world_publish(&p, "u1", "\"type\":\"y\"}", "e1"),
                     NGX_WS_MGR_PUBLISH_CONFLICT);

    /* another user's event_id is another one */
    assert_int_equal(world_publish(&p, "u2", "\"type\":\"y\"}", "e1"),
                     NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(p.duplicate, 0);
}


static void
test_limit_of_events(void **state)
{
    ngx_str_t               user;
    ngx_uint_t              i;
    ngx_ws_mgr_publish_t    p;
    ngx_ws_mgr_user_info_t  info;

    (void) state;

    ngx_str_set(&user, "u1");

    for (i = 0; i < 40; i++) {
        (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);
    }

    (void) ngx_ws_mgr_census_user_info(&user, &info);
    assert_int_equal(info.events, world_conf.limits.events);
    assert_int_equal(info.floor, 24);
}


/* an event at a time of one's own, ms since 1970 */

static void
publish_at(uint64_t now)
{
    ngx_ws_mgr_publish_t  p;

    world_fill(&p, "u1", "\"type\":\"x\"}", NULL);
    p.entry.now = now;

    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
}


static uint64_t
floor_of_log(void)
{
    uint64_t             floor;
    ngx_str_t            name;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_shard_t  *shard;

    ngx_str_set(&name, "u1");

    shard = ngx_ws_mgr_shard_lock_name(&name, &user);
    floor = user->log.floor;
    ngx_ws_mgr_shard_unlock(shard);

    return floor;
}


/* an event goes when it is older than the age, to the millisecond, although
   not each append looks at the oldest */

static void
test_limit_of_age(void **state)
{
    uint64_t  age, start;

    (void) state;

    age = world_conf.limits.age;
    start = 1767225600123;

    publish_at(start);
    publish_at(start + 1000);
    publish_at(start + 1001);

    publish_at(start + age);
    assert_int_equal(floor_of_log(), 0);
    publish_at(start + age + 1);
    assert_int_equal(floor_of_log(), 1);

    publish_at(start + age + 1000);
    assert_int_equal(floor_of_log(), 1);
    publish_at(start + age + 1001);
    assert_int_equal(floor_of_log(), 2);

    publish_at(start + 2 * age + 1002);
    assert_int_equal(floor_of_log(), 7);
}


/* the clock was set back: what is the oldest by now has an earlier time than
   what was looked at last */

static void
test_age_of_a_clock_set_back(void **state)
{
    ngx_uint_t  i;
    uint64_t    age, start;

    (void) state;

    age = world_conf.limits.age;
    start = 1767225600123;

    for (i = 0; i < world_conf.limits.events; i++) {
        publish_at(start);
    }

    publish_at(start - 60000);

    for (i = 1; i < world_conf.limits.events; i++) {
        publish_at(start - 60000);
    }

    assert_int_equal(floor_of_log(), world_conf.limits.events);

    publish_at(start - 60000 + age + 1);
    assert_int_equal(floor_of_log(), 2 * world_conf.limits.events);
}


/* a burst does not run away from a worker that has yet to look, within reason,
   and the log is back within its limits afterwards */

static void
test_slack(void **state)
{
    ngx_str_t               user;
    ngx_uint_t              i;
    ngx_ws_mgr_publish_t    p;
    ngx_ws_mgr_user_info_t  info;

    (void) state;

    ngx_str_set(&user, "u1");
    (void) world_connect("u1");

    for (i = 0; i < 40; i++) {
        (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);
    }

    (void) ngx_ws_mgr_census_user_info(&user, &info);
    assert_int_equal(info.events, 40);

    for (i = 0; i < 100; i++) {
        (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);
    }

    (void) ngx_ws_mgr_census_user_info(&user, &info);
    assert_int_equal(info.events, 4 * world_conf.limits.events);

    world_look();
    (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);

    (void) ngx_ws_mgr_census_user_info(&user, &info);
    assert_int_equal(info.events, world_conf.limits.events);
}


static void
test_limit_of_bytes(void **state)
{
    ngx_str_t               user;
    ngx_uint_t              i;
    ngx_ws_mgr_publish_t    p;
    ngx_ws_mgr_user_info_t  info;

    (void) state;

    ngx_str_set(&user, "u1");
    world_conf.limits.bytes = 8 * sizeof(large);

    for (i = 0; i < 16; i++) {
        (void) world_publish(&p, "u1", large, NULL);
    }

    (void) ngx_ws_mgr_census_user_info(&user, &info);
    assert_int_equal(info.events, 7);
    assert_true(info.bytes <= world_conf.limits.bytes);
}


/* the zone is smaller than what is posted: the longest logs give way, each
   event is accepted, and short logs keep theirs */

static void
test_pressure(void **state)
{
    ngx_str_t               user;
    ngx_uint_t              i, n;
    ngx_ws_mgr_usage_t      usage;
    ngx_ws_mgr_publish_t    p;
    ngx_ws_mgr_user_info_t  info;
    char                    name[16];

    (void) state;

    world_conf.limits.events = 4096;
    world_conf.limits.bytes = 64 * WORLD_SIZE;

    (void) world_connect("short");
    (void) world_publish(&p, "short", "\"type\":\"x\"}", NULL);

    for (i = 0; i < 2000; i++) {
        n = i % 4;
        snprintf(name, sizeof(name), "long%d", (int) n);
        assert_int_equal(world_publish(&p, name, large, NULL),
                         NGX_WS_MGR_PUBLISH_OK);
    }

    ngx_str_set(&user, "short");
    (void) ngx_ws_mgr_census_user_info(&user, &info);
    assert_int_equal(info.events, 1);

    ngx_ws_mgr_census_usage(&usage);
    assert_true(usage.event_bytes < 2 * WORLD_SIZE);
    assert_true(usage.events < 2000);
    assert_true(ngx_ws_mgr_node_counter(NGX_WS_MGR_EVICTED_PRESSURE) > 0);
}


static ngx_uint_t
to_thread(ngx_ws_mgr_event_t *event, void *data)
{
    ngx_ws_mgr_who_t  *who = data;

    return who->thread && who->thread[0] == event->target_len
           && ngx_memcmp(who->thread + 1, ngx_ws_mgr_event_target(event),
                         event->target_len)
              == 0;
}


static void
test_sockets_of_a_thread(void **state)
{
    ngx_str_t              thread, piece;
    ngx_ws_mgr_place_t    *place;
    ngx_ws_mgr_publish_t   p;

    (void) state;

    ngx_str_set(&thread, "t1");
    ngx_str_set(&piece, "\"type\":\"x\"}");

    (void) world_connect("u1");
    place = world_connect("u1");
    assert_int_equal(ngx_ws_mgr_registry_thread(place, &thread), NGX_OK);

    ngx_memzero(&p, sizeof(p));
    ngx_str_set(&p.user, "u1");
    p.entry.pieces = &piece;
    p.entry.npieces = 1;
    p.entry.size = piece.len;
    p.entry.target = thread;
    p.entry.to = NGX_WS_MGR_TO_THREAD;
    p.match = to_thread;

    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(p.sockets, 1);
    assert_int_equal(p.unknown_sockets, 0);
}


static void
test_run_order(void **state)
{
    ngx_str_t              piece, user;
    ngx_ws_mgr_publish_t   p;
    ngx_ws_mgr_run_info_t  run;

    (void) state;

    ngx_str_set(&piece, "\"type\":\"x\"}");
    ngx_str_set(&user, "u1");

    ngx_memzero(&p, sizeof(p));
    p.user = user;
    p.entry.pieces = &piece;
    p.entry.npieces = 1;
    p.entry.size = piece.len;
    p.run_order = NGX_WS_MGR_CHECK_ENFORCE;
    ngx_str_set(&p.run.id, "r1");
    ngx_str_set(&p.run.tool, "search");
    p.run.tokens.input_tokens = 5;

    p.run.known = 4;    /* tool_completed */
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_RUN_ORDER);
    assert_non_null(p.disorder);
    assert_int_equal(ngx_ws_mgr_census_user_runs(&user, &run, 1), 0);

    p.run.known = 1;    /* agent_started */
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_RUN_ORDER);

    p.run.known = 4;
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_RUN_ORDER);
    p.run.known = 3;    /* tool_executing */
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
    p.run.known = 4;
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_RUN_ORDER);

    p.run.known = 5;    /* agent_completed */
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
    p.run.known = 2;
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_RUN_ORDER);

    p.run_order = NGX_WS_MGR_CHECK_WARN;
    assert_int_equal(ngx_ws_mgr_publish(&p), NGX_WS_MGR_PUBLISH_OK);
    assert_non_null(p.disorder);

    assert_int_equal(ngx_ws_mgr_census_user_runs(&user, &run, 1), 1);
    assert_int_equal(run.events, 5);
    assert_int_equal(run.tokens.input_tokens, 25);
    assert_int_equal(run.started, 1);
    assert_int_equal(run.ended, 1);
}


static void
test_runs_are_bounded(void **state)
{
    ngx_uint_t             i;
    ngx_ws_mgr_publish_t   p;
    ngx_ws_mgr_run_info_t  runs[NGX_WS_MGR_RUNS + 1];
    u_char                 id[8];

    (void) state;

    world_fill(&p, "u1", "\"type\":\"x\"}", NULL);
    p.run.id.data = id;

    for (i = 0; i < 2 * NGX_WS_MGR_RUNS; i++) {
        p.run.id.len = ngx_sprintf(id, "r%ui", i) - id;
        (void) ngx_ws_mgr_publish(&p);
    }

    assert_int_equal(ngx_ws_mgr_census_user_runs(&p.user, runs,
                                                 NGX_WS_MGR_RUNS + 1),
                     NGX_WS_MGR_RUNS);
    assert_memory_equal(runs[0].id.data, "r127", 4);
    assert_int_equal(ngx_ws_mgr_node_counter(NGX_WS_MGR_RUNS_FORGOTTEN),
                     NGX_WS_MGR_RUNS);
}


int
ngx_ws_mgr_unit_publish(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_wakes_once, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_online, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_idempotent, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_events, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_age, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_age_of_a_clock_set_back,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_slack, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_bytes, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_pressure, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_sockets_of_a_thread, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_run_order, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_runs_are_bounded, world_setup,
                                        world_teardown),
    };

    ngx_memset(large, ' ', sizeof(large) - 1);
    ngx_memcpy(large, "\"type\":\"x\"", 10);
    large[sizeof(large) - 2] = '}';

    return cmocka_run_group_tests(tests, NULL, NULL);
}
