
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <ngx_ws_mgr_ticket_shm.h>
#include <ngx_ws_mgr_shard.h>


#define RACERS  2
#define RACES   2000


/* of one ticket, shared by the racers */

typedef struct {
    ngx_atomic_t  arrived;
    ngx_atomic_t  won;
} race_t;


static ngx_pool_t                  *pool;
static ngx_ws_mgr_registry_conf_t   conf;
static ngx_uint_t                   answers;


static void
answered(ngx_ws_mgr_ticket_op_t *op)
{
    (void) op;

    answers++;
}


/* runs one operation, which answers at once */

static ngx_ws_mgr_ticket_result_e
run(void (*operation)(ngx_ws_mgr_ticket_op_t *op), ngx_ws_mgr_ticket_op_t *op)
{
    ngx_uint_t  n;

    n = answers;

    op->pool = pool;
    op->log = ngx_ws_mgr_unit_cycle->log;
    op->done = answered;
    op->result = 77;

    operation(op);

    assert_int_equal(answers, n + 1);

    return op->result;
}


/* each of a user of its own */
static ngx_uint_t  users;

static ngx_ws_mgr_ticket_result_e
issue(ngx_str_t *id, time_t expires, ngx_uint_t single_use, size_t padding)
{
    u_char                  *p;
    ngx_ws_mgr_ticket_op_t   op;

    ngx_memzero(&op, sizeof(op));

    if (id->data == NULL) {
        id->len = NGX_WS_MGR_TICKET_ID;
        id->data = ngx_pnalloc(pool, id->len);
        assert_int_equal(ngx_ws_mgr_ticket_make_id(id->data), NGX_OK);
    }

    p = ngx_pnalloc(pool, 100 + padding);

    op.id = *id;
    op.expires = expires;
    op.record.data = p;
    p = ngx_sprintf(p, "{\"user_id\":\"u%ui\",\"expires_at\":%T,"
                       "\"single_use\":%s}",
                    users++, expires, single_use ? "true" : "false");
    ngx_memset(p, ' ', padding);
    op.record.len = p + padding - op.record.data;

    return run(ngx_ws_mgr_ticket_shm.issue, &op);
}


static ngx_ws_mgr_ticket_result_e
ask(void (*operation)(ngx_ws_mgr_ticket_op_t *op), ngx_str_t id)
{
    ngx_ws_mgr_ticket_op_t  op;

    ngx_memzero(&op, sizeof(op));

    op.id = id;

    run(operation, &op);

    assert_int_equal(op.used, op.result == NGX_WS_MGR_TICKET_USED
                              && operation != ngx_ws_mgr_ticket_shm.revoke);

    if (op.result == NGX_WS_MGR_TICKET_OK
        && operation != ngx_ws_mgr_ticket_shm.revoke)
    {
        assert_memory_equal(op.record.data, "{\"user_id\":\"u", 13);

    } else {
        assert_int_equal(op.record.len, 0);
    }

    return op.result;
}


#define consume(id)  ask(ngx_ws_mgr_ticket_shm.consume, id)
#define look(id)     ask(ngx_ws_mgr_ticket_shm.look, id)
#define revoke(id)   ask(ngx_ws_mgr_ticket_shm.revoke, id)


/* one shard, so that all tickets meet in it */

static int
setup_size(size_t size)
{
    ngx_conf_t  *cf;

    pool = ngx_ws_mgr_unit_pool();
    cf = ngx_ws_mgr_unit_conf(pool);

    ngx_memzero(&conf, sizeof(conf));
    conf.nshards = 1;
    conf.size = size;

    assert_int_equal(ngx_ws_mgr_shard_zones(cf, &conf, &conf), NGX_OK);
    assert_int_equal(ngx_ws_mgr_unit_zones(cf), NGX_OK);

    ngx_ws_mgr_shard_attach(&conf);

    return 0;
}


static int
setup(void **state)
{
    (void) state;

    return setup_size(1024 * 1024);
}


static int
setup_large(void **state)
{
    (void) state;

    return setup_size(80 * 1024 * 1024);
}


static int
teardown(void **state)
{
    (void) state;

    ngx_destroy_pool(pool);

    return 0;
}


static void
assert_empty(void)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_shard_at(0);

    assert_int_equal(shard->ntickets, 0);
    assert_int_equal(shard->ticket_bytes, 0);
    assert_ptr_equal(shard->tickets.root, shard->tickets.sentinel);
    assert_ptr_equal(shard->expiry.root, shard->expiry.sentinel);
}


static void
test_once(void **state)
{
    uint64_t             issued, consumed;
    ngx_str_t            id = ngx_null_string;
    ngx_ws_mgr_shard_t  *shard;

    (void) state;

    shard = ngx_ws_mgr_shard_at(0);
    issued = ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_ISSUED];
    consumed = ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_CONSUMED];

    assert_int_equal(issue(&id, ngx_time() + 30, 1, 0), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(shard->ntickets, 1);
    assert_int_equal(shard->ticket_bytes, 256 + 64);

    assert_int_equal(look(id), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(look(id), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(consume(id), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(shard->ticket_bytes, 256);

    assert_int_equal(consume(id), NGX_WS_MGR_TICKET_USED);
    assert_int_equal(look(id), NGX_WS_MGR_TICKET_USED);
    assert_int_equal(revoke(id), NGX_WS_MGR_TICKET_USED);
    assert_int_equal(consume(id), NGX_WS_MGR_TICKET_USED);

    /* nobody takes the place of a marker */
    assert_int_equal(issue(&id, ngx_time() + 30, 1, 0),
                     NGX_WS_MGR_TICKET_UNAVAILABLE);

    assert_int_equal(ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_ISSUED],
                     issued + 1);
    assert_int_equal(ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_CONSUMED],
                     consumed + 1);
}


static void
test_many_times(void **state)
{
    ngx_uint_t  i;
    ngx_str_t   id = ngx_null_string;

    (void) state;

    assert_int_equal(issue(&id, ngx_time() + 30, 0, 0), NGX_WS_MGR_TICKET_OK);

    for (i = 0; i < 5; i++) {
        assert_int_equal(consume(id), NGX_WS_MGR_TICKET_OK);
    }

    assert_int_equal(revoke(id), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(consume(id), NGX_WS_MGR_TICKET_UNKNOWN);
    assert_int_equal(look(id), NGX_WS_MGR_TICKET_UNKNOWN);
    assert_int_equal(revoke(id), NGX_WS_MGR_TICKET_UNKNOWN);

    assert_empty();
}


static void
test_unknown(void **state)
{
    u_char      other[NGX_WS_MGR_TICKET_ID];
    ngx_str_t   id = ngx_null_string, spelled;

    (void) state;

    assert_int_equal(issue(&id, ngx_time() + 30, 1, 0), NGX_WS_MGR_TICKET_OK);

    /* the same 32 bytes in another spelling are another id */

    ngx_memcpy(other, id.data, sizeof(other));
    other[42] = (other[42] == '8') ? '9' : other[42] + 1;

    spelled.len = sizeof(other);
    spelled.data = other;
    assert_int_equal(consume(spelled), NGX_WS_MGR_TICKET_UNKNOWN);

    spelled.len--;
    assert_int_equal(consume(spelled), NGX_WS_MGR_TICKET_UNKNOWN);

    spelled.len = 0;
    assert_int_equal(look(spelled), NGX_WS_MGR_TICKET_UNKNOWN);
    assert_int_equal(revoke(spelled), NGX_WS_MGR_TICKET_UNKNOWN);

    assert_int_equal(consume(id), NGX_WS_MGR_TICKET_OK);
}


static void
test_expired(void **state)
{
    uint64_t    expired;
    ngx_str_t   live = ngx_null_string;
    ngx_str_t   told = ngx_null_string;
    ngx_str_t   used = ngx_null_string;
    ngx_str_t   gone[3] = { ngx_null_string, ngx_null_string,
                            ngx_null_string };

    (void) state;

    expired = ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_EXPIRED];

    assert_int_equal(issue(&live, ngx_time() + 2, 1, 0), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(issue(&told, ngx_time(), 1, 0), NGX_WS_MGR_TICKET_OK);

    assert_int_equal(look(live), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(consume(told), NGX_WS_MGR_TICKET_EXPIRED);
    assert_int_equal(look(told), NGX_WS_MGR_TICKET_EXPIRED);
    assert_int_equal(revoke(told), NGX_WS_MGR_TICKET_EXPIRED);

    assert_int_equal(ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_EXPIRED],
                     expired);

    /* three whose grace is over: two go with each operation */

    assert_int_equal(issue(&gone[0], ngx_time() - 60, 1, 0),
                     NGX_WS_MGR_TICKET_OK);
    assert_int_equal(look(gone[0]), NGX_WS_MGR_TICKET_EXPIRED);
    assert_int_equal(look(gone[0]), NGX_WS_MGR_TICKET_UNKNOWN);
    assert_int_equal(ngx_ws_mgr_counters[NGX_WS_MGR_TICKETS_EXPIRED],
                     expired + 1);

    /* a marker outlives its ticket by the grace, and is not counted again */

    assert_int_equal(issue(&used, ngx_time() + 1, 1, 0), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(consume(used), NGX_WS_MGR_TICKET_OK);
    assert_int_equal(consume(used), NGX_WS_MGR_TICKET_USED);

    assert_int_equal(consume(live), NGX_WS_MGR_TICKET_OK);
}


static void
test_collision(void **state)
{
    u_char      raw[32], text[64][NGX_WS_MGR_TICKET_ID];
    ngx_str_t   src, id[64];
    ngx_uint_t  i, j;

    (void) state;

    /* alike in what the tree sorts by */

    ngx_memset(raw, 0x5a, sizeof(raw));
    src.len = sizeof(raw);
    src.data = raw;

    for (i = 0; i < 64; i++) {
        raw[31] = (u_char) i;
        id[i].data = text[i];
        ngx_encode_base64url(&id[i], &src);

        assert_int_equal(issue(&id[i], ngx_time() + 30, 1, 0),
                         NGX_WS_MGR_TICKET_OK);

        for (j = 0; j <= i; j++) {
            assert_int_equal(look(id[j]), NGX_WS_MGR_TICKET_OK);
        }
    }

    for (i = 0; i < 64; i += 2) {
        assert_int_equal(revoke(id[i]), NGX_WS_MGR_TICKET_OK);
    }

    for (i = 0; i < 64; i++) {
        assert_int_equal(consume(id[i]), (i % 2) ? NGX_WS_MGR_TICKET_OK
                                                 : NGX_WS_MGR_TICKET_UNKNOWN);
    }
}


static void
test_share(void **state)
{
    ngx_uint_t                   n;
    ngx_str_t                    id;
    ngx_ws_mgr_shard_t          *shard;
    ngx_ws_mgr_ticket_result_e   result;

    (void) state;

    shard = ngx_ws_mgr_shard_at(0);

    for (n = 0; n < 10000; n++) {
        ngx_str_null(&id);
        result = issue(&id, ngx_time(), 1, 7000);

        if (n < 20) {
            assert_int_equal(result, NGX_WS_MGR_TICKET_OK);
        }

        assert_true(shard->ticket_bytes <= 256 * 1024);
    }

    /* expired ones give way to new ones, live ones do not */

    assert_int_equal(result, NGX_WS_MGR_TICKET_OK);

    for (n = 0; n < 10000; n++) {
        ngx_str_null(&id);
        result = issue(&id, ngx_time() + 30, 1, 7000);

        if (result != NGX_WS_MGR_TICKET_OK) {
            break;
        }
    }

    assert_int_equal(result, NGX_WS_MGR_TICKET_NO_MEMORY);
    assert_int_equal(n, (shard->pool->end - (u_char *) shard->pool) / 4
                        / (256 + 8192));
    assert_int_equal(shard->ntickets, n);
    assert_true(shard->ticket_bytes <= 256 * 1024);
}


static void
test_not_a_record(void **state)
{
    u_char                  text[NGX_WS_MGR_TICKET_ID];
    ngx_log_t               quiet;
    ngx_ws_mgr_ticket_op_t  op;

    (void) state;

    assert_int_equal(ngx_ws_mgr_ticket_make_id(text), NGX_OK);

    ngx_memzero(&op, sizeof(op));
    ngx_memzero(&quiet, sizeof(quiet));

    op.id.len = sizeof(text);
    op.id.data = text;
    op.expires = ngx_time() + 30;
    op.record = ngx_ws_mgr_unit_str("{}");
    op.pool = pool;
    op.log = &quiet;
    op.done = answered;

    ngx_ws_mgr_ticket_shm.issue(&op);
    assert_int_equal(op.result, NGX_WS_MGR_TICKET_UNAVAILABLE);

    op.record = ngx_ws_mgr_unit_str("{\"user_id\":\"u\",\"expires_at\":1}");
    op.id.len--;

    ngx_ws_mgr_ticket_shm.issue(&op);
    assert_int_equal(op.result, NGX_WS_MGR_TICKET_UNAVAILABLE);

    assert_empty();
}


/* a racer: meets the others before each ticket.  0: all went as it should */

static int
run_races(ngx_str_t *id, race_t *races)
{
    ngx_uint_t                   i, n;
    ngx_ws_mgr_ticket_result_e   result;

    for (i = 0; i < RACES; i++) {

        (void) ngx_atomic_fetch_add(&races[i].arrived, 1);

        /* awake, so that they start as one, unless there is one core only */

        for (n = 1; races[i].arrived < RACERS; n++) {
            ngx_cpu_pause();

            if (n % 10000 == 0) {
                ngx_sched_yield();
            }
        }

        result = consume(id[i]);

        if (result == NGX_WS_MGR_TICKET_OK) {
            (void) ngx_atomic_fetch_add(&races[i].won, 1);

        } else if (result != NGX_WS_MGR_TICKET_USED) {
            return 1;
        }
    }

    return 0;
}


static void
test_race(void **state)
{
    int          status;
    race_t      *races;
    ngx_str_t    id[RACES];
    ngx_pid_t    pid[RACERS];
    ngx_uint_t   i;

    (void) state;

    races = mmap(NULL, RACES * sizeof(race_t), PROT_READ|PROT_WRITE,
                 MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_true(races != MAP_FAILED);

    /* long records, so that a ticket takes some time to be copied out */

    for (i = 0; i < RACES; i++) {
        ngx_str_null(&id[i]);
        assert_int_equal(issue(&id[i], ngx_time() + 30, 1, 7000),
                         NGX_WS_MGR_TICKET_OK);
    }

    fflush(stdout);

    for (i = 0; i < RACERS; i++) {
        pid[i] = fork();
        assert_int_not_equal(pid[i], -1);

        if (pid[i] == 0) {
            ngx_pid = ngx_getpid();
            (void) alarm(20);
            _exit(run_races(id, races));
        }
    }

    for (i = 0; i < RACERS; i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }

    for (i = 0; i < RACES; i++) {
        assert_int_equal(races[i].won, 1);
    }

    (void) munmap(races, RACES * sizeof(race_t));
}


#define test(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)


int
ngx_ws_mgr_unit_ticket_shm(void)
{
    const struct CMUnitTest  tests[] = {
        test(test_once),
        test(test_many_times),
        test(test_unknown),
        test(test_expired),
        test(test_collision),
        test(test_share),
        test(test_not_a_record),
        cmocka_unit_test_setup_teardown(test_race, setup_large, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
