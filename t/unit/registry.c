
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "world.h"


#define LOGS  32


static void
test_in_and_out(void **state)
{
    ngx_ws_mgr_place_t  *a, *b;
    ngx_ws_mgr_usage_t   usage;

    (void) state;

    a = world_connect("u1");
    b = world_connect("u1");

    assert_non_null(a);
    assert_non_null(b);
    assert_true(a->number != b->number);
    assert_int_equal(world_online("u1"), 2);

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.users, 1);
    assert_int_equal(usage.connections, 2);

    ngx_ws_mgr_registry_disconnect(a);
    assert_int_equal(world_online("u1"), 1);
    ngx_ws_mgr_registry_disconnect(b);
    assert_int_equal(world_online("u1"), 0);

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.users, 0);
    assert_int_equal(usage.connections, 0);
}


static void
test_not_routable_before_open(void **state)
{
    ngx_str_t             user;
    ngx_ws_mgr_place_t    place, other;
    ngx_ws_mgr_publish_t  p;

    (void) state;

    ngx_str_set(&user, "u1");

    assert_int_equal(ngx_ws_mgr_registry_connect(&user, 1, 0, &place), NGX_OK);
    assert_int_equal(world_publish(&p, "u1", "\"type\":\"x\"}", NULL),
                     NGX_WS_MGR_PUBLISH_OK);
    assert_int_equal(p.sockets, 0);

    /* but it counts for the limit */
    assert_int_equal(ngx_ws_mgr_registry_connect(&user, 1, 0, &other),
                     NGX_DECLINED);
    assert_null(other.hold);

    ngx_ws_mgr_registry_disconnect(&place);
}


static void
test_oldest_goes(void **state)
{
    ngx_str_t            user;
    ngx_ws_mgr_conn_t   *a, *b;
    ngx_ws_mgr_place_t   c;

    (void) state;

    ngx_str_set(&user, "u1");

    a = world_connect("u1")->conn;
    b = world_connect("u1")->conn;

    assert_int_equal(ngx_ws_mgr_registry_connect(&user, 2, 1, &c), NGX_OK);
    assert_int_equal(a->kick, NGX_WS_MGR_CLOSE_REPLACED);
    assert_int_equal(b->kick, 0);
    assert_int_equal(ngx_ws_mgr_registry_settle(&c), NGX_OK);
    assert_int_equal(c.conn->kick, 0);
    assert_int_equal(ngx_ws_mgr_registry_kicked(&c), 0);
    assert_int_equal(world_wakes[ngx_ws_mgr_slot], 1);

    /* one that is on its way out does not count */
    assert_int_equal(ngx_ws_mgr_registry_kick_user(&user, 4005), 2);
    assert_int_equal(ngx_ws_mgr_registry_kick_user(&user, 4501), 0);
    assert_int_equal(b->kick, 4005);
    assert_int_equal(ngx_ws_mgr_registry_kicked(&c), 4005);

    ngx_ws_mgr_registry_disconnect(&c);
}


static void
test_kick_by_number(void **state)
{
    ngx_ws_mgr_conn_t       *conn;
    ngx_ws_mgr_conn_info_t   info;

    (void) state;

    (void) world_connect("u1");
    conn = world_connect("u2")->conn;

    assert_int_equal(ngx_ws_mgr_registry_kick_conn(conn->node.key, 4005), 1);
    assert_int_equal(conn->kick, 4005);
    assert_int_equal(ngx_ws_mgr_registry_kick_conn(1, 4005), 0);

    assert_int_equal(ngx_ws_mgr_census_conn_info(conn->node.key, &info),
                     NGX_OK);
    assert_int_equal(info.kick, 4005);
    assert_int_equal(info.user.len, 2);
}


/* a page goes on behind the last, also where that one has left */

static void
test_pages(void **state)
{
    ngx_str_t                user;
    uint64_t                 numbers[3];
    ngx_ws_mgr_place_t      *first;
    ngx_ws_mgr_conn_info_t   info[2];

    (void) state;

    ngx_str_set(&user, "u1");

    first = world_connect("u1");
    numbers[0] = ngx_ws_mgr_registry_number(first);
    numbers[1] = ngx_ws_mgr_registry_number(world_connect("u1"));
    numbers[2] = ngx_ws_mgr_registry_number(world_connect("u1"));

    assert_int_equal(ngx_ws_mgr_census_user_conns(&user, 0, info, 1), 1);
    assert_int_equal(info[0].number, numbers[0]);

    ngx_ws_mgr_registry_disconnect(first);

    assert_int_equal(ngx_ws_mgr_census_user_conns(&user, info[0].ordinal, info,
                                                  2),
                     2);
    assert_int_equal(info[0].number, numbers[1]);
    assert_int_equal(info[1].number, numbers[2]);
    assert_int_equal(ngx_ws_mgr_census_user_conns(&user, info[1].ordinal, info,
                                                  2),
                     0);
}


static void
test_ids(void **state)
{
    u_char     *p;
    uint64_t    number;
    ngx_str_t   id;
    u_char      text[NGX_WS_MGR_CONN_LEN];

    (void) state;

    p = ngx_ws_mgr_registry_conn_id(text, 0x8001000000000ff1);
    assert_int_equal(p - text, NGX_WS_MGR_CONN_LEN);

    id.data = text;
    id.len = NGX_WS_MGR_CONN_LEN;

    assert_int_equal(ngx_ws_mgr_registry_conn_number(&id, &number), NGX_OK);
    assert_true(number == 0x8001000000000ff1);

    id.len--;
    assert_int_equal(ngx_ws_mgr_registry_conn_number(&id, &number),
                     NGX_DECLINED);

    id.len++;
    text[0] = '!';
    assert_int_equal(ngx_ws_mgr_registry_conn_number(&id, &number),
                     NGX_DECLINED);
}


static void
test_seek(void **state)
{
    ngx_uint_t             i;
    ngx_ws_mgr_hold_t     *hold;
    ngx_ws_mgr_seek_t      seek;
    ngx_ws_mgr_publish_t   p;

    (void) state;

    hold = world_connect("u1")->hold;

    for (i = 0; i < 20; i++) {
        (void) world_publish(&p, "u1", "\"type\":\"x\"}", NULL);
        world_look();
    }

    ngx_memzero(&seek, sizeof(seek));
    ngx_ws_mgr_registry_seek(hold, &seek);
    assert_null(seek.gap);
    assert_int_equal(seek.cursor, 20);
    assert_int_equal(seek.gone.seq, 4);
    assert_int_equal(seek.replay, 0);

    seek.asked = 1;
    seek.from = seek.end;
    seek.from.seq = 4;
    ngx_ws_mgr_registry_seek(hold, &seek);
    assert_null(seek.gap);
    assert_int_equal(seek.cursor, 4);
    assert_int_equal(seek.replay, 16);

    seek.from.seq = 3;
    ngx_ws_mgr_registry_seek(hold, &seek);
    assert_string_equal(seek.gap, "evicted");
    assert_int_equal(seek.cursor, 4);

    seek.from.seq = 21;
    ngx_ws_mgr_registry_seek(hold, &seek);
    assert_string_equal(seek.gap, "unknown_position");

    seek.from.epoch++;
    ngx_ws_mgr_registry_seek(hold, &seek);
    assert_string_equal(seek.gap, "unknown_epoch");
}


static uint64_t
log_id(const char *name)
{
    uint64_t             id;
    ngx_str_t            user;
    ngx_ws_mgr_user_t   *u;
    ngx_ws_mgr_shard_t  *shard;

    user.data = (u_char *) name;
    user.len = ngx_strlen(name);

    shard = ngx_ws_mgr_member_lock_name(&user, &u);
    assert_non_null(u);
    id = u->log.id;
    ngx_ws_mgr_shard_rest_locked(shard, u);
    ngx_ws_mgr_shard_unlock(shard);

    return id;
}


/* neither a second user, nor another epoch, nor the same name and memory once
   more brings an id back */

static void
test_log_ids(void **state)
{
    char                 name[8];
    uint64_t             ids[3 * LOGS];
    ngx_str_t            user;
    ngx_uint_t           i, k, n;
    ngx_ws_mgr_usage_t   usage;
    ngx_ws_mgr_shard_t  *shard;

    (void) state;

    for (n = 0, k = 0; k < 2; k++) {
        for (i = 0; i < LOGS; i++) {
            user.data = (u_char *) name;
            user.len = sprintf(name, "u%d", (int) i);

            ids[n++] = log_id(name);

            if (k == 0) {
                assert_int_equal(ngx_ws_mgr_publish_adopt(&user, 1764580000, 0),
                                 NGX_OK);
                ids[n++] = log_id(name);
            }
        }

        world_conf.limits.age = 0;

        for (i = 0; i < world_conf.nshards; i++) {
            shard = ngx_ws_mgr_shard_at(i);
            ngx_ws_mgr_shard_lock(shard);
            (void) ngx_ws_mgr_shard_expire_locked(shard, LOGS,
                                                  ngx_ws_mgr_now() + 1);
            ngx_ws_mgr_shard_unlock(shard);
        }

        ngx_ws_mgr_census_usage(&usage);
        assert_int_equal(usage.logs, 0);
    }

    for (i = 0; i < n; i++) {
        assert_true(ids[i] != 0);

        for (k = 0; k < i; k++) {
            assert_true(ids[i] != ids[k]);
        }
    }
}


static void
test_confirm(void **state)
{
    uint64_t               seq;
    ngx_str_t              id;
    ngx_ws_mgr_place_t    *place;
    ngx_ws_mgr_publish_t   p;

    (void) state;

    place = world_connect("u1");
    ngx_str_set(&id, "e1");

    (void) world_publish(&p, "u1", "\"type\":\"x\"}", "e1");

    assert_int_equal(ngx_ws_mgr_registry_confirm(place, &id, 0, 0),
                     NGX_DECLINED);

    seq = 1;
    ngx_ws_mgr_registry_sent(place, &seq, 0, 0);

    assert_int_equal(ngx_ws_mgr_registry_confirm(place, NULL,
                                                 p.position.epoch + 1, 1),
                     NGX_DECLINED);
    assert_int_equal(place->conn->confirmed, 0);
    assert_int_equal(ngx_ws_mgr_registry_confirm(place, &id, 0, 0), NGX_OK);
    assert_int_equal(place->conn->confirmed, 1);
    assert_int_equal(ngx_ws_mgr_registry_confirm(place, NULL, 0, 2),
                     NGX_DECLINED);
}


static void
test_address_limit(void **state)
{
    ngx_str_t           name;
    ngx_ws_mgr_usage_t  usage;

    (void) state;

    ngx_str_set(&name, "\0\x7f\0\0\x01");

    assert_int_equal(ngx_ws_mgr_member_enter(&name, 1), NGX_OK);
    assert_int_equal(ngx_ws_mgr_member_enter(&name, 1), NGX_DECLINED);

    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.users, 0);
    assert_int_equal(usage.logs, 1);

    ngx_ws_mgr_member_leave(&name);

    /* an address has no past that is worth its memory */
    ngx_ws_mgr_census_usage(&usage);
    assert_int_equal(usage.logs, 0);
}


static void
test_total_limit(void **state)
{
    (void) state;

    assert_int_equal(ngx_ws_mgr_node_admit(2), NGX_OK);
    assert_int_equal(ngx_ws_mgr_node_admit(2), NGX_OK);
    assert_int_equal(ngx_ws_mgr_node_admit(2), NGX_DECLINED);
    assert_int_equal(ngx_ws_mgr_node_connections(), 2);

    ngx_ws_mgr_node_dismiss();
    assert_int_equal(ngx_ws_mgr_node_admit(2), NGX_OK);
}


/* a worker that finds no slot has none, and finds the one that is given back */

static void
test_slots(void **state)
{
    uint64_t    counted;
    ngx_uint_t  i, mine;

    (void) state;

    mine = ngx_ws_mgr_slot;

    for (i = 1; i < NGX_WS_MGR_SLOTS; i++) {
        assert_int_equal(ngx_ws_mgr_node_take(ngx_ws_mgr_unit_cycle->log),
                         NGX_OK);
    }

    ngx_ws_mgr_node_attach(world_conf.node_zone);

    assert_int_equal(ngx_ws_mgr_node_take(ngx_ws_mgr_unit_cycle->log),
                     NGX_DECLINED);
    assert_int_equal(ngx_ws_mgr_slot, NGX_WS_MGR_NO_SLOT);
    assert_int_equal(ngx_ws_mgr_member_take_pending(), 0);

    counted = ngx_ws_mgr_node_counter(NGX_WS_MGR_PINGS);
    ngx_ws_mgr_count(PINGS);
    assert_int_equal(ngx_ws_mgr_node_counter(NGX_WS_MGR_PINGS), counted + 1);

    for (i = 0; i < NGX_WS_MGR_SLOTS; i++) {
        if (i != mine) {
            ngx_ws_mgr_slot = i;
            ngx_ws_mgr_node_give();
        }
    }

    assert_int_equal(ngx_ws_mgr_slot, NGX_WS_MGR_NO_SLOT);
    assert_int_equal(ngx_ws_mgr_node_take(ngx_ws_mgr_unit_cycle->log),
                     NGX_OK);
    assert_int_equal(ngx_ws_mgr_node_counter(NGX_WS_MGR_PINGS), counted + 1);

    ngx_ws_mgr_node_give();
    ngx_ws_mgr_slot = mine;
}


int
ngx_ws_mgr_unit_registry(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_in_and_out, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_not_routable_before_open,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_oldest_goes, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_kick_by_number, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_pages, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_ids, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_seek, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_log_ids, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_confirm, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_address_limit, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_total_limit, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_slots, world_setup,
                                        world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
