
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <ngx_ws_mgr_event_log.h>
#include <ngx_ws_mgr_text.h>


#define EVENTS  8


static ngx_ws_mgr_log_t     log;
static ngx_ws_mgr_ids_t     ids;
static ngx_ws_mgr_batch_t   batch;
static ngx_ws_mgr_event_t  *buckets[4];
static ngx_ws_mgr_event_t  *latest[2];
static u_char               frames[65536];


static int
setup(void **state)
{
    (void) state;

    ngx_memzero(&log, sizeof(log));
    ngx_memzero(buckets, sizeof(buckets));
    ngx_memzero(latest, sizeof(latest));

    ids.buckets = buckets;
    ids.mask = 3;
    ids.latest = latest;
    ids.latest_mask = 1;

    batch.skip_from = 0;

    batch.start = frames;
    batch.end = frames + sizeof(frames);

    ngx_ws_mgr_log_init(&log, 1, 35 * 36 + 10, 0);

    return 0;
}


static int
teardown(void **state)
{
    ngx_ws_mgr_event_t  *event;

    (void) state;

    for ( ;; ) {
        event = ngx_ws_mgr_log_evict(&log, &ids);
        if (event == NULL) {
            break;
        }

        free(event);
    }

    free(log.ring);

    return 0;
}


static ngx_ws_mgr_event_t *
append(ngx_ws_mgr_entry_t *entry)
{
    size_t               size;
    ngx_ws_mgr_event_t  *event;

    size = ngx_ws_mgr_log_room(&log);

    if (size) {
        free(ngx_ws_mgr_log_grow(&log, calloc(1, size), size));
    }

    size = ngx_ws_mgr_log_measure(&log, entry);
    assert_true(size > 0);

    event = memset(malloc(size), 0xa5, size);
    ngx_ws_mgr_log_append(&log, &ids, event, entry);

    assert_int_equal(ngx_ws_mgr_event_size(event), size);

    return event;
}


static ngx_ws_mgr_event_t *
post(const char *posted, const char *event_id)
{
    ngx_str_t            piece;
    ngx_ws_mgr_entry_t   entry;

    piece.data = (u_char *) posted;
    piece.len = strlen(posted);

    ngx_memzero(&entry, sizeof(entry));
    entry.pieces = &piece;
    entry.npieces = 1;
    entry.size = piece.len;
    entry.now = 1767225600123;
    entry.event_id.data = (u_char *) event_id;
    entry.event_id.len = event_id ? strlen(event_id) : 0;

    return append(&entry);
}


static void
test_frame(void **state)
{
    ngx_str_t            pieces[2];
    ngx_ws_mgr_entry_t   entry;
    ngx_ws_mgr_event_t  *event;
    static const char    payload[] = "{\"id\":\"za-1\",\"seq\":1,\"ts\":5,"
                                     "\"user_id\":\"u\\u0031\","
                                     " \"type\":\"x\" , \"n\":1.10}";

    (void) state;

    ngx_str_set(&pieces[0], " \"type\":\"x\" ,");
    ngx_str_set(&pieces[1], " \"n\":1.10}");

    ngx_memzero(&entry, sizeof(entry));
    entry.pieces = pieces;
    entry.npieces = 2;
    entry.size = pieces[0].len + pieces[1].len;
    entry.now = 5;
    ngx_str_set(&entry.user_raw, "\"u\\u0031\"");
    ngx_str_set(&entry.target, "t1");
    entry.to = NGX_WS_MGR_TO_THREAD;

    event = append(&entry);

    assert_int_equal(event->frame, 2 + sizeof(payload) - 1);
    assert_int_equal(event->data[0], 0x81);
    assert_int_equal(event->data[1], sizeof(payload) - 1);
    assert_memory_equal(event->data + 2, payload, sizeof(payload) - 1);
    assert_memory_equal(ngx_ws_mgr_event_target(event), "t1", 2);
    assert_memory_equal(event->data + event->posted, " \"type\"", 7);
}


static void
test_order(void **state)
{
    ngx_uint_t  i;

    (void) state;

    for (i = 1; i <= 3 * EVENTS; i++) {
        assert_int_equal(post("\"type\":\"x\"}", NULL)->seq, i);
    }

    assert_int_equal(ngx_ws_mgr_log_read(&log, 0, 1, &batch, NULL, NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 3 * EVENTS);
    assert_int_equal(batch.cursor, 3 * EVENTS);

    for (i = 0; i < batch.n; i++) {
        assert_int_equal(batch.frames[i].seq, i + 1);
    }

    assert_int_equal(ngx_ws_mgr_log_read(&log, 3 * EVENTS, 1, &batch, NULL,
                                         NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 0);
}


static void
test_small_batch(void **state)
{
    size_t               frame;
    uint64_t             cursor;
    ngx_uint_t           n;
    ngx_ws_mgr_event_t  *event;

    (void) state;

    event = NULL;

    for (n = 0; n < EVENTS; n++) {
        event = post("\"type\":\"x\"}", NULL);
    }

    frame = event->frame;
    batch.end = frames + 3 * frame;
    cursor = 0;

    for (n = 0; n < EVENTS; n += batch.n) {
        assert_int_equal(ngx_ws_mgr_log_read(&log, cursor, 1, &batch, NULL,
                                             NULL),
                         NGX_OK);
        assert_int_equal(batch.n, ngx_min(3, EVENTS - n));
        assert_int_equal(batch.more, n + batch.n < EVENTS);
        assert_int_equal(batch.frames[batch.n - 1].end,
                         batch.last - batch.start);
        cursor = batch.cursor;
    }

    assert_int_equal(cursor, EVENTS);

    batch.end = frames + frame - 1;
    assert_int_equal(ngx_ws_mgr_log_read(&log, 0, 1, &batch, NULL, NULL),
                     NGX_ERROR);
}


static void
test_left_behind(void **state)
{
    ngx_uint_t  i;

    (void) state;

    for (i = 0; i < EVENTS; i++) {
        (void) post("\"type\":\"x\"}", NULL);
    }

    free(ngx_ws_mgr_log_evict(&log, &ids));
    free(ngx_ws_mgr_log_evict(&log, &ids));

    assert_int_equal(log.floor, 2);
    assert_int_equal(ngx_ws_mgr_log_read(&log, 1, 1, &batch, NULL, NULL),
                     NGX_DECLINED);
    assert_int_equal(ngx_ws_mgr_log_read(&log, 2, 1, &batch, NULL, NULL),
                     NGX_OK);
    assert_int_equal(batch.n, EVENTS - 2);
    assert_int_equal(batch.frames[0].seq, 3);
}


static ngx_uint_t
even(ngx_ws_mgr_event_t *event, void *data)
{
    ++*(ngx_uint_t *) data;

    return event->seq % 2 == 0;
}


static void
test_aimed(void **state)
{
    ngx_uint_t  i, asked;

    (void) state;

    for (i = 0; i < EVENTS; i++) {
        post("\"type\":\"x\"}", NULL)->to = NGX_WS_MGR_TO_THREAD;
    }

    asked = 0;

    assert_int_equal(ngx_ws_mgr_log_read(&log, 0, 1, &batch, even, &asked),
                     NGX_OK);
    assert_int_equal(asked, EVENTS);
    assert_int_equal(batch.n, EVENTS / 2);
    assert_int_equal(batch.aimed, 1);
    assert_int_equal(batch.frames[0].seq, 2);
    assert_int_equal(ngx_ws_mgr_log_matching(&log, 0, 1, even, &asked),
                     EVENTS / 2);
}


static void
test_ttl(void **state)
{
    (void) state;

    (void) post("\"type\":\"x\"}", NULL);
    post("\"type\":\"x\"}", NULL)->expires = 100;
    (void) post("\"type\":\"x\"}", NULL);

    assert_int_equal(ngx_ws_mgr_log_read(&log, 0, 99, &batch, NULL, NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 3);

    assert_int_equal(ngx_ws_mgr_log_read(&log, 0, 100, &batch, NULL, NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 2);
    assert_int_equal(batch.frames[1].seq, 3);
    assert_int_equal(ngx_ws_mgr_log_matching(&log, 0, 100, NULL, NULL), 2);

    /* what is over is passed, though nothing follows it */
    post("\"type\":\"x\"}", NULL)->expires = 100;

    assert_int_equal(ngx_ws_mgr_log_read(&log, 3, 100, &batch, NULL, NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 0);
    assert_int_equal(batch.cursor, 4);
}


static void
test_event_ids(void **state)
{
    ngx_str_t             id, piece;
    ngx_uint_t            i;
    ngx_ws_mgr_entry_t    entry;
    ngx_ws_mgr_event_t   *event;
    char                  text[8];

    (void) state;

    for (i = 0; i < EVENTS; i++) {
        snprintf(text, sizeof(text), "e%d", (int) i);
        (void) post("\"type\":\"x\"}", text);
    }

    for (i = 0; i < EVENTS; i++) {
        snprintf(text, sizeof(text), "e%d", (int) i);
        id.data = (u_char *) text;
        id.len = 2;

        event = ngx_ws_mgr_log_find(&log, &ids, &id);
        assert_non_null(event);
        assert_int_equal(event->seq, i + 1);
    }

    id.len = 1;
    assert_null(ngx_ws_mgr_log_find(&log, &ids, &id));

    ngx_memzero(&entry, sizeof(entry));
    ngx_str_set(&piece, "\"type\":\"x\"}");
    entry.pieces = &piece;
    entry.npieces = 1;
    entry.size = piece.len;

    assert_true(ngx_ws_mgr_log_same(event, &entry));

    ngx_str_set(&piece, "\"type\":\"y\"}");
    assert_false(ngx_ws_mgr_log_same(event, &entry));

    /* gone from the log, gone from the table */

    ngx_str_set(&id, "e0");
    free(ngx_ws_mgr_log_evict(&log, &ids));
    assert_null(ngx_ws_mgr_log_find(&log, &ids, &id));
}


/* an event of a class: "run" may be NULL; "target" a thread, or NULL */

static ngx_ws_mgr_event_t *
classed(ngx_uint_t class, const char *run, const char *type,
    const char *target)
{
    ngx_str_t           piece;
    ngx_ws_mgr_entry_t  entry;

    ngx_str_set(&piece, "\"type\":\"x\"}");

    ngx_memzero(&entry, sizeof(entry));
    entry.pieces = &piece;
    entry.npieces = 1;
    entry.size = piece.len;
    entry.now = 1;
    entry.class = class;
    entry.run.data = (u_char *) run;
    entry.run.len = run ? strlen(run) : 0;
    entry.type.data = (u_char *) type;
    entry.type.len = strlen(type);

    if (target) {
        entry.to = NGX_WS_MGR_TO_THREAD;
        entry.target.data = (u_char *) target;
        entry.target.len = strlen(target);
    }

    return append(&entry);
}


static ngx_uint_t
anybody(ngx_ws_mgr_event_t *event, void *data)
{
    (void) event;
    (void) data;

    return 1;
}


/* the seqs that a socket reads after "cursor", each a digit */

static const char *
seqs(uint64_t cursor, uint64_t skip_from)
{
    ngx_uint_t   i;
    static char  text[NGX_WS_MGR_BATCH_FRAMES + 1];

    batch.skip_from = skip_from;

    assert_int_equal(ngx_ws_mgr_log_read(&log, cursor, 1, &batch, anybody,
                                         NULL),
                     NGX_OK);
    assert_int_equal(batch.cursor, log.last);

    for (i = 0; i < batch.n; i++) {
        text[i] = (char) ('0' + batch.frames[i].seq);
    }

    text[i] = '\0';

    return text;
}


static void
test_classes(void **state)
{
    (void) state;

    (void) classed(NGX_WS_MGR_CLASS_MUST, "r1", "progress", NULL);
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "progress", NULL);
    (void) classed(NGX_WS_MGR_CLASS_DROP, "r1", "progress", NULL);
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "progress", NULL);
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "progress", NULL);
    (void) classed(NGX_WS_MGR_CLASS_MUST, "r1", "progress", NULL);

    /* one that does not lag gets all of them, and a replay is whole */

    assert_string_equal(seqs(0, 0), "123456");
    assert_int_equal(batch.skips.latest + batch.skips.drop, 0);
    assert_string_equal(seqs(0, 7), "123456");

    assert_string_equal(seqs(0, 1), "156");
    assert_int_equal(batch.skips.latest, 2);
    assert_int_equal(batch.skips.drop, 1);
    assert_int_equal(batch.frames[0].skips.latest, 0);
    assert_int_equal(batch.frames[1].skips.latest, 2);
    assert_int_equal(batch.frames[1].skips.drop, 1);
    assert_int_equal(log.ring[2 & (log.size - 1)]->skipped, 1);
    assert_int_equal(log.ring[5 & (log.size - 1)]->skipped, 0);

    assert_string_equal(seqs(0, 4), "12356");
    assert_int_equal(batch.skips.latest, 1);
}


/* only what says the same of the same to the same sockets is superseded */

static void
test_latest_of_what(void **state)
{
    (void) state;

    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "a", NULL);
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r2", "a", NULL);
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "b", NULL);
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "a", "t1");
    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "a", "t2");
    (void) classed(NGX_WS_MGR_CLASS_LATEST, NULL, "r1a", NULL);
    (void) classed(NGX_WS_MGR_CLASS_DROP, "r1", "a", NULL);

    assert_string_equal(seqs(0, 1), "123456");

    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "a", "t1");

    assert_string_equal(seqs(0, 1), "123568");

    (void) classed(NGX_WS_MGR_CLASS_LATEST, "r1", "a", NULL);

    assert_string_equal(seqs(0, 1), "235689");
    assert_int_equal(batch.skips.latest, 2);
}


/* what supersedes is younger, and stays longer: whatever has gone, nothing
   points to it */

static void
test_latest_evicted(void **state)
{
    ngx_uint_t  i;
    char        run[2];

    (void) state;

    for (i = 0; i < 200; i++) {
        run[0] = (char) ('0' + i * 7 % 5);
        run[1] = '\0';

        (void) classed(NGX_WS_MGR_CLASS_LATEST, run, "t", NULL);

        if (i >= EVENTS) {
            free(ngx_ws_mgr_log_evict(&log, &ids));
        }
    }

    batch.skip_from = 1;

    assert_int_equal(ngx_ws_mgr_log_read(&log, log.floor, 1, &batch, NULL,
                                         NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 5);

    for ( ;; ) {
        if (ngx_ws_mgr_log_oldest(&log) == NULL) {
            break;
        }

        free(ngx_ws_mgr_log_evict(&log, &ids));
    }

    assert_null(latest[0]);
    assert_null(latest[1]);
    assert_int_equal(log.bytes, 0);
}


/* the lock is not held for all that is passed over at once */

static void
test_passed_over(void **state)
{
    ngx_uint_t  i;

    (void) state;

    for (i = 0; i < NGX_WS_MGR_BATCH_EVENTS + 2; i++) {
        (void) classed(NGX_WS_MGR_CLASS_DROP, NULL, "x", NULL);
    }

    batch.skip_from = 1;

    assert_int_equal(ngx_ws_mgr_log_read(&log, 0, 1, &batch, NULL, NULL),
                     NGX_OK);
    assert_int_equal(batch.n, 0);
    assert_int_equal(batch.more, 1);
    assert_int_equal(batch.skips.drop, NGX_WS_MGR_BATCH_EVENTS);
    assert_int_equal(batch.cursor, NGX_WS_MGR_BATCH_EVENTS);

    assert_int_equal(ngx_ws_mgr_log_read(&log, batch.cursor, 1, &batch, NULL,
                                         NULL),
                     NGX_OK);
    assert_int_equal(batch.more, 0);
    assert_int_equal(batch.skips.drop, 2);
}


static void
test_positions(void **state)
{
    u_char                 *p;
    ngx_str_t               text;
    ngx_uint_t              i;
    ngx_ws_mgr_position_t   position;
    u_char                  buf[NGX_WS_MGR_POSITION_LEN];

    static const char  *good[] = {
        "1-0", "k3x9f0-1042", "k3x9f0-b7", "1y2p0ij32e8e7-18446744073709551615"
    };
    static const char  *bad[] = {
        "", "-", "-1", "a-", "a-b", "0-1", "A-1", "a-1x", "a--1", "a-1-1",
        "a_1", "a-18446744073709551616", "zzzzzzzzzzzzzz-1", "1y2p0ij32e8e8-1"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        text.data = (u_char *) good[i];
        text.len = strlen(good[i]);

        assert_int_equal(ngx_ws_mgr_log_position_parse(&text, &position),
                         NGX_OK);

        p = ngx_ws_mgr_log_position(buf, &position);
        assert_int_equal(p - buf, text.len);
        assert_memory_equal(buf, text.data, text.len);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        text.data = (u_char *) bad[i];
        text.len = strlen(bad[i]);

        assert_int_equal(ngx_ws_mgr_log_position_parse(&text, &position),
                         NGX_ERROR);
    }
}


static void
test_bytes(void **state)
{
    ngx_uint_t  i;

    (void) state;

    for (i = 0; i < EVENTS; i++) {
        (void) post("\"type\":\"x\"}", "id");
    }

    assert_true(log.bytes > 0);

    for (i = 0; i < EVENTS; i++) {
        free(ngx_ws_mgr_log_evict(&log, &ids));
    }

    assert_int_equal(log.bytes, 0);
    assert_null(ngx_ws_mgr_log_oldest(&log));
    assert_null(ngx_ws_mgr_log_evict(&log, &ids));
    assert_int_equal(log.floor, log.last);

    for (i = 0; i < 4; i++) {
        assert_null(buckets[i]);
    }
}


/* each number of digits, where it begins and where it ends */

static void
test_decimals(void **state)
{
    char       expected[32];
    u_char     text[NGX_INT64_LEN + 1];
    uint64_t   n, i;

    (void) state;

    for (n = 1; /* void */ ; n *= 10) {

        for (i = n - 1; i <= n + 1; i++) {
            *ngx_ws_mgr_text_decimal(text, i) = '\0';
            snprintf(expected, sizeof(expected), "%lu", i);

            assert_string_equal((char *) text, expected);
            assert_int_equal(ngx_ws_mgr_text_digits(i), strlen(expected));
        }

        if (n > UINT64_MAX / 10) {
            break;
        }
    }

    *ngx_ws_mgr_text_decimal(text, UINT64_MAX) = '\0';
    assert_string_equal((char *) text, "18446744073709551615");
}


int
ngx_ws_mgr_unit_log(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aimed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ttl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_event_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_latest_of_what, setup, teardown),
        cmocka_unit_test_setup_teardown(test_latest_evicted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_positions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
        cmocka_unit_test(test_decimals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
