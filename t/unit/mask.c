
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <ngx_ws_mgr_ticket_mask.h>


#define ID     "mFz0vQ8rT2yXk5-aB_cD3eF6gH7iJ9kL1mN4oP5qR0s"
#define STARS  "*******************************************"


static u_char      written[NGX_MAX_ERROR_STR];
static size_t      written_len;
static void       *written_wdata;
static ngx_uint_t  writes;


static void
write_kept(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    (void) level;

    ngx_memcpy(written, buf, len);
    written_len = len;
    written_wdata = log->wdata;
    writes++;
}


/* what a log writes of a text at a level, without nginx's prefix */

static void
assert_logged(ngx_log_t *log, ngx_uint_t level, const char *text,
    const char *expected)
{
    size_t  len;

    writes = 0;
    ngx_log_error_core(level, log, 0, "%s", text);

    len = ngx_strlen(expected);

    assert_int_equal(writes, 1);
    assert_true(written_len > len + 1);
    assert_memory_equal(written + written_len - 1 - len, expected, len);
}


static void
test_tickets(void **state)
{
    u_char      buf[512];
    size_t      len;
    ngx_uint_t  i;

    static struct {
        const char  *in;
        const char  *out;
        ngx_uint_t   n;
    } cases[] = {
        { "", "", 0 },
        { "ticket", "ticket", 0 },
        { "ticket=", "ticket=", 0 },
        { "ticket=x", "ticket=*", 1 },
        { "GET /ws?ticket=" ID " HTTP/1.1",
          "GET /ws?ticket=" STARS " HTTP/1.1", 1 },
        { "/ws?a=b&auth_ticket=" ID "&c=d", "/ws?a=b&auth_ticket=" STARS "&c=d",
          1 },
        { "/ws?TICKET_ID=" ID "#x", "/ws?TICKET_ID=" STARS "#x", 1 },
        { "\"ticket=" ID "\", host", "\"ticket=" STARS "\", host", 1 },
        { "ticket=ab&ticket=cd", "ticket=**&ticket=**", 2 },
        { "ticket=ab%20cd", "ticket=*******", 1 },
        { "tick%65t%3dab", "tick%65t%3d**", 1 },
        { "%74icket=ab", "%74icket=**", 1 },
        { "%7", "%7", 0 },
        { "ticket%", "ticket%", 0 },
        { "ws-mgr.v1, ticket." ID, "ws-mgr.v1, ticket." STARS, 1 },
        { "\"sec-websocket-protocol: ticket." ID ",ws-mgr.v1\"",
          "\"sec-websocket-protocol: ticket." STARS ",ws-mgr.v1\"", 1 },
        { "Ticket." ID, "Ticket." STARS, 1 },
        { "\"/static/ticket.html\"", "\"/static/ticket.html\"", 0 },
        { "my-ticket.css", "my-ticket.css", 0 },
        { "GET /api/tickets/" ID " HTTP/1.1",
          "GET /api/tickets/" STARS " HTTP/1.1", 1 },
        { "/api/tickets//./" ID "?a=b",
          "/api/tickets/***" STARS "?a=b", 1 },
        { "/api/ti%63kets%2F" ID, "/api/ti%63kets%2F" STARS, 1 },
        { "{\"ticket_id\":\"" ID "\",\"user_id\":\"u\"}",
          "{\"ticket_id\":\"" STARS "\",\"user_id\":\"u\"}", 1 },
        { "{ \"ticket_id\" : \"abc\" }", "{ \"ticket_id\" : \"***\" }", 1 },
        { "the ticket is here, tickets too",
          "the ticket is here, tickets too", 0 },
        { "?ticket=" STARS, "?ticket=" STARS, 1 }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = ngx_strlen(cases[i].in);
        ngx_memcpy(buf, cases[i].in, len);
        ngx_memcpy(buf + len, "=x&", 3);

        assert_int_equal(ngx_ws_mgr_mask_tickets(buf, buf + len), cases[i].n);
        assert_memory_equal(buf, cases[i].out, len);
        assert_memory_equal(buf + len, "=x&", 3);
    }
}


/* a line that nginx has cut: the ticket is masked as far as it goes */

static void
test_cut(void **state)
{
    u_char      buf[64];
    ngx_uint_t  len, i;

    (void) state;

    for (len = 0; len <= 7 + 43; len++) {
        ngx_memcpy(buf, "ticket=" ID, 7 + 43);

        ngx_ws_mgr_mask_tickets(buf, buf + len);

        for (i = 7; i < len; i++) {
            assert_int_equal(buf[i], '*');
        }

        assert_memory_equal(buf + len, "ticket=" ID + len, 7 + 43 - len);
    }
}


static void
test_writer(void **state)
{
    ngx_log_t    log;
    ngx_pool_t  *pool;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    ngx_memzero(&log, sizeof(log));
    log.log_level = NGX_LOG_DEBUG_ALL;
    log.writer = write_kept;
    log.wdata = &written_len;

    assert_int_equal(ngx_ws_mgr_mask_log(&log, pool), NGX_OK);
    assert_int_equal(ngx_ws_mgr_mask_log(&log, pool), NGX_OK);

    assert_logged(&log, NGX_LOG_ERR, "a?ticket=" ID " b",
                  "a?ticket=" STARS " b");
    assert_ptr_equal(written_wdata, &written_len);

    /* a value alone: $arg_ticket in rewrite_log, and in debug lines */

    assert_logged(&log, NGX_LOG_NOTICE, "\"" ID "\" matches \"^x\"",
                  "\"" STARS "\" matches \"^x\"");
    assert_logged(&log, NGX_LOG_DEBUG, "http script var: \"" ID "\"",
                  "http script var: \"" STARS "\"");
    assert_logged(&log, NGX_LOG_DEBUG, "hash key:\"7" ID "\"",
                  "hash key:\"*" STARS "\"");

    /* other things of that length, or longer */

    assert_logged(&log, NGX_LOG_ERR, "x" ID, "x" ID);
    assert_logged(&log, NGX_LOG_ERR,
                  "\"0123456789abcdef0123456789abcdef0123456789a\"",
                  "\"0123456789abcdef0123456789abcdef0123456789a\"");

    /* a copy of it, as each connection has one, masks as well */

    {
        ngx_log_t  copy = log;

        assert_int_equal(ngx_ws_mgr_mask_log(&copy, pool), NGX_OK);
        assert_logged(&copy, NGX_LOG_ERR, "?ticket=abc", "?ticket=***");
        assert_ptr_equal(written_wdata, &written_len);
    }

    ngx_destroy_pool(pool);

    assert_ptr_equal(log.writer, write_kept);
    assert_ptr_equal(log.wdata, &written_len);
}


/* a chain: a file, then a log with a writer */

static void
test_chain(void **state)
{
    FILE             *f;
    char              line[256];
    ngx_log_t         log, next;
    ngx_pool_t       *pool;
    ngx_open_file_t   file;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    f = tmpfile();
    assert_non_null(f);

    ngx_memzero(&file, sizeof(file));
    file.fd = fileno(f);

    ngx_memzero(&next, sizeof(next));
    next.log_level = NGX_LOG_ERR;
    next.writer = write_kept;

    ngx_memzero(&log, sizeof(log));
    log.log_level = NGX_LOG_INFO;
    log.file = &file;
    log.next = &next;

    assert_int_equal(ngx_ws_mgr_mask_log(&log, pool), NGX_OK);
    assert_logged(&log, NGX_LOG_ERR, "?ticket=abc", "?ticket=***");

    writes = 0;
    ngx_log_error(NGX_LOG_INFO, &log, 0, "second ?ticket=abc");
    assert_int_equal(writes, 0);

    rewind(f);
    assert_non_null(fgets(line, sizeof(line), f));
    assert_non_null(strstr(line, "[error] "));
    assert_non_null(strstr(line, ": ?ticket=***\n"));
    assert_non_null(fgets(line, sizeof(line), f));
    assert_non_null(strstr(line, ": second ?ticket=***\n"));
    assert_null(fgets(line, sizeof(line), f));

    /* a full disk is left alone for the rest of the second */

    log.disk_full_time = ngx_time();
    ngx_log_error(NGX_LOG_INFO, &log, 0, "third");
    clearerr(f);
    assert_null(fgets(line, sizeof(line), f));

    ngx_destroy_pool(pool);

    assert_null(log.writer);
    assert_null(log.wdata);
    assert_ptr_equal(next.writer, write_kept);

    fclose(f);
}


int
ngx_ws_mgr_unit_mask(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_chain)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
