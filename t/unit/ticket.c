
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <ngx_ws_mgr_ticket.h>


#define str  ngx_ws_mgr_unit_str


static void
test_make_id(void **state)
{
    u_char      a[NGX_WS_MGR_TICKET_ID], b[NGX_WS_MGR_TICKET_ID];
    ngx_str_t   id;

    (void) state;

    assert_int_equal(ngx_ws_mgr_ticket_make_id(a), NGX_OK);
    assert_int_equal(ngx_ws_mgr_ticket_make_id(b), NGX_OK);
    assert_memory_not_equal(a, b, sizeof(a));

    id.len = sizeof(a);
    id.data = a;
    assert_int_equal(ngx_ws_mgr_ticket_check_id(&id), NGX_OK);
}


static void
test_check_id(void **state)
{
    ngx_uint_t         i;
    ngx_str_t          id;
    static const char  bad[] = "+/=. %&@[`{\x7f\x80\xc3";

    u_char  good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0189_-_";

    (void) state;

    id.data = good;
    id.len = NGX_WS_MGR_TICKET_ID;
    assert_int_equal(ngx_ws_mgr_ticket_check_id(&id), NGX_OK);

    id.len = NGX_WS_MGR_TICKET_ID - 1;
    assert_int_equal(ngx_ws_mgr_ticket_check_id(&id), NGX_DECLINED);

    id.len = NGX_WS_MGR_TICKET_ID + 1;
    assert_int_equal(ngx_ws_mgr_ticket_check_id(&id), NGX_DECLINED);

    id.len = NGX_WS_MGR_TICKET_ID;

    for (i = 0; i < sizeof(bad); i++) {
        good[i] = (u_char) bad[i];
        assert_int_equal(ngx_ws_mgr_ticket_check_id(&id), NGX_DECLINED);
        good[i] = 'A';
    }
}


static void
test_check_user(void **state)
{
    ngx_uint_t   i;
    ngx_str_t    user;
    u_char       longest[NGX_WS_MGR_USER_MAX + 1];

    static ngx_str_t  good[] = {
        ngx_string("a"),
        ngx_string("**"),
        ngx_string("user@example.com"),
        ngx_string("with space, \"quote\" and /"),
        ngx_string("J\xc3\xbcrgen"),
        ngx_string("\xc2\xa0"),                      /* U+00A0 */
        ngx_string("\xed\x9f\xbf\xee\x80\x80"),      /* U+D7FF U+E000 */
        ngx_string("\xf0\x90\x80\x80"),              /* U+10000 */
        ngx_string("\xf4\x8f\xbf\xbf")               /* U+10FFFF */
    };

    static ngx_str_t  bad[] = {
        ngx_string(""),
        ngx_string("*"),
        ngx_string("a\0b"),
        ngx_string("a\nb"),
        ngx_string("\x7f"),
        ngx_string("\xc2\x80"),                      /* U+0080 */
        ngx_string("\xc2\x9f"),                      /* U+009F */
        ngx_string("\x80"),
        ngx_string("\xc3"),                          /* cut off */
        ngx_string("\xc3\xc3"),                      /* no continuation */
        ngx_string("\xc3" "a"),
        ngx_string("\xc0\xaf"),                      /* overlong */
        ngx_string("\xe0\x80\xaf"),
        ngx_string("\xf0\x80\x80\xaf"),
        ngx_string("\xed\xa0\x80"),                  /* U+D800 */
        ngx_string("\xed\xbf\xbf"),                  /* U+DFFF */
        ngx_string("\xf4\x90\x80\x80"),              /* U+110000 */
        ngx_string("\xf8\x90\x80\x80"),
        ngx_string("\xff\x90\x80\x80")
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(ngx_ws_mgr_ticket_check_user(&good[i]), NGX_OK);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ngx_ws_mgr_ticket_check_user(&bad[i]), NGX_DECLINED);
    }

    ngx_memset(longest, 'u', sizeof(longest));
    user.data = longest;

    user.len = 255;
    assert_int_equal(ngx_ws_mgr_ticket_check_user(&user), NGX_OK);

    user.len = 256;
    assert_int_equal(ngx_ws_mgr_ticket_check_user(&user), NGX_DECLINED);
}


static void
test_parse(void **state)
{
    ngx_str_t             record;
    ngx_pool_t           *pool;
    const char           *error;
    ngx_ws_mgr_ticket_t   t;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    record = str("{\"ticket_id\":\"x\",\"user_id\":\"J\\u00fcrgen\","
                 "\"email\":null,\"permissions\":[\"read\",7,\"a b\",\"\","
                 "\"x\\r\\ny\",\"agent:execute\",[\"no\"]],"
                 "\"created_at\":1,\"expires_at\":1767225900.25,"
                 "\"single_use\":false,\"metadata\":{\"z\":\"\\u0000\"}}");

    assert_int_equal(ngx_ws_mgr_ticket_parse(&record, pool, &t, &error),
                     NGX_OK);
    assert_int_equal(t.user.len, 7);
    assert_memory_equal(t.user.data, "J\xc3\xbcrgen", 7);
    assert_int_equal(t.permissions.len, 18);
    assert_memory_equal(t.permissions.data, "read agent:execute", 18);
    assert_true(t.expires_at == 1767225900.25);
    assert_int_equal(t.single_use, 0);

    record = str("{\"user_id\":\"u\",\"expires_at\":1767225900}");

    assert_int_equal(ngx_ws_mgr_ticket_parse(&record, pool, &t, &error),
                     NGX_OK);
    assert_int_equal(t.permissions.len, 0);
    assert_true(t.expires_at == 1767225900);
    assert_int_equal(t.single_use, 1);

    ngx_destroy_pool(pool);
}


static void
test_parse_refused(void **state)
{
    ngx_uint_t            i;
    ngx_str_t             record;
    ngx_pool_t           *pool;
    const char           *error;
    ngx_ws_mgr_ticket_t   t;

    static ngx_str_t  bad[] = {
        ngx_string(""),
        ngx_string("{"),
        ngx_string("[]"),
        ngx_string("7"),
        ngx_string("{\"user_id\":\"u\"}"),
        ngx_string("{\"expires_at\":1}"),
        ngx_string("{\"user_id\":7,\"expires_at\":1}"),
        ngx_string("{\"user_id\":\"\",\"expires_at\":1}"),
        ngx_string("{\"user_id\":\"*\",\"expires_at\":1}"),
        ngx_string("{\"user_id\":\"a\\u0000b\",\"expires_at\":1}"),
        ngx_string("{\"user_id\":\"u\",\"expires_at\":\"1\"}"),
        ngx_string("{\"user_id\":\"u\",\"expires_at\":null}"),
        ngx_string("{\"user_id\":\"u\",\"expires_at\":1e999}"),
        ngx_string("{\"user_id\":\"u\",\"expires_at\":1} x"),
        ngx_string("{\"user_id\":\"u\",\"user_id\":\"v\",\"expires_at\":1}"),
        ngx_string("{\"user_id\":\"\xff\",\"expires_at\":1}")
    };

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error = NULL;
        assert_int_equal(ngx_ws_mgr_ticket_parse(&bad[i], pool, &t, &error),
                         NGX_DECLINED);
        assert_non_null(error);
    }

    /* deeper than the stack should be asked to go */

    record.len = NGX_WS_MGR_TICKET_RECORD;
    record.data = ngx_pnalloc(pool, record.len + 1);
    ngx_memset(record.data, '[', record.len + 1);
    assert_int_equal(ngx_ws_mgr_ticket_parse(&record, pool, &t, &error),
                     NGX_DECLINED);

    record.len = ngx_sprintf(record.data,
                             "{\"user_id\":\"u\",\"expires_at\":1}")
                 - record.data;
    ngx_memset(record.data + record.len, ' ',
               NGX_WS_MGR_TICKET_RECORD + 1 - record.len);

    record.len = NGX_WS_MGR_TICKET_RECORD;
    assert_int_equal(ngx_ws_mgr_ticket_parse(&record, pool, &t, &error),
                     NGX_OK);

    record.len = NGX_WS_MGR_TICKET_RECORD + 1;
    assert_int_equal(ngx_ws_mgr_ticket_parse(&record, pool, &t, &error),
                     NGX_DECLINED);

    ngx_destroy_pool(pool);
}


static void
test_permits(void **state)
{
    ngx_uint_t  i;
    ngx_str_t   list, none;

    static struct {
        ngx_str_t   name;
        ngx_uint_t  permits;
    } cases[] = {
        { ngx_string("read"), 1 },
        { ngx_string("chat"), 1 },
        { ngx_string("agent:execute"), 1 },
        { ngx_string("agent"), 0 },
        { ngx_string("rea"), 0 },
        { ngx_string("read chat"), 0 },
        { ngx_string("execute"), 0 },
        { ngx_string("READ"), 0 }
    };

    (void) state;

    list = str("read chat agent:execute");
    ngx_str_null(&none);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ngx_ws_mgr_ticket_permits(&list, &cases[i].name),
                         cases[i].permits);
        assert_int_equal(ngx_ws_mgr_ticket_permits(&none, &cases[i].name), 0);
    }
}


int
ngx_ws_mgr_unit_ticket(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_make_id),
        cmocka_unit_test(test_check_id),
        cmocka_unit_test(test_check_user),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refused),
        cmocka_unit_test(test_permits)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
