
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include "unit.h"
#include <ngx_ws_mgr_extension.h>


#define PMD     "permessage-deflate"
#define ANSWER  PMD "; server_no_context_takeover; client_no_context_takeover"
#define BITS    "; server_max_window_bits="


static void
test_offers(void **state)
{
    u_char                  *p, buf[NGX_WS_MGR_EXTENSION_LEN + 1], *field;
    ngx_int_t                rc;
    ngx_str_t                value;
    ngx_uint_t               i;
    ngx_ws_mgr_extension_t   agreed;

    /* what is answered; "" where nothing is agreed on, NULL: malformed */

    static const struct {
        const char  *offers;
        const char  *answer;
        ngx_uint_t   window;
    } rows[] = {
        { PMD, ANSWER, 15 },
        { "", "", 0 },
        { " , ,", "", 0 },
        { "," PMD ",", ANSWER, 15 },
        { "x-webkit-deflate-frame", "", 0 },
        { "x-other; a=b; c=\"d\", " PMD, ANSWER, 15 },

        { PMD "; client_max_window_bits", ANSWER, 15 },
        { PMD "; client_max_window_bits=8", ANSWER, 15 },
        { PMD "; client_max_window_bits=15", ANSWER, 15 },
        { PMD "; server_no_context_takeover", ANSWER, 15 },
        { PMD "; client_no_context_takeover", ANSWER, 15 },
        { PMD "; server_max_window_bits=8", ANSWER BITS "8", 8 },
        { PMD "; server_max_window_bits=9", ANSWER BITS "9", 9 },
        { PMD "; server_max_window_bits=15", ANSWER BITS "15", 15 },
        { PMD "; server_max_window_bits=\"10\"", ANSWER BITS "10", 10 },
        { PMD "; server_max_window_bits=\"1\\1\"", ANSWER BITS "11", 11 },
        { PMD ";server_max_window_bits=12;client_max_window_bits=12;"
          "server_no_context_takeover;client_no_context_takeover",
          ANSWER BITS "12", 12 },
        { "\t" PMD "\t; \tserver_max_window_bits \t= 13 \t",
          ANSWER BITS "13", 13 },

        { PMD "; server_max_window_bits", "", 0 },
        { PMD "; server_max_window_bits=7", "", 0 },
        { PMD "; server_max_window_bits=16", "", 0 },
        { PMD "; server_max_window_bits=08", "", 0 },
        { PMD "; server_max_window_bits=010", "", 0 },
        { PMD "; server_max_window_bits=1a", "", 0 },
        { PMD "; server_max_window_bits=-9", "", 0 },
        { PMD "; server_max_window_bits=150", "", 0 },
        { PMD "; client_max_window_bits=7", "", 0 },
        { PMD "; client_max_window_bits=16", "", 0 },
        { PMD "; client_max_window_bits=x", "", 0 },
        { PMD "; server_no_context_takeover=1", "", 0 },
        { PMD "; client_no_context_takeover=true", "", 0 },
        { PMD "; unknown", "", 0 },
        { PMD "; unknown=1; server_max_window_bits=9", "", 0 },
        { PMD "; server_max_window_bits=9; server_max_window_bits=9",
          "", 0 },
        { PMD "; client_no_context_takeover; client_no_context_takeover",
          "", 0 },
        { PMD "; Server_Max_Window_Bits=9", "", 0 },

        { PMD "; unknown, " PMD, ANSWER, 15 },
        { PMD "; server_max_window_bits=7, " PMD "; server_max_window_bits=9, "
          PMD, ANSWER BITS "9", 9 },
        { PMD ", " PMD "; server_max_window_bits=9", ANSWER, 15 },

        { ";", NULL, 0 },
        { PMD ";", NULL, 0 },
        { PMD "; ;", NULL, 0 },
        { PMD "; =9", NULL, 0 },
        { PMD "; a=", NULL, 0 },
        { PMD "; a=\"", NULL, 0 },
        { PMD "; a=\"\"", NULL, 0 },
        { PMD "; a=\"b", NULL, 0 },
        { PMD "; a=\"b\\", NULL, 0 },
        { PMD "; a=\"b c\"", NULL, 0 },
        { PMD "; a=\"b,c\"", NULL, 0 },
        { PMD "; a=b c", NULL, 0 },
        { PMD " x", NULL, 0 },
        { PMD ", @", NULL, 0 },
        { "\"" PMD "\"", NULL, 0 },
        { PMD "=1", NULL, 0 },
        { "caf\xc3\xa9", NULL, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&agreed, 0, sizeof(agreed));

        /* without a byte behind it, so that a sanitizer sees its end */

        value.len = strlen(rows[i].offers);
        field = malloc(value.len ? value.len : 1);
        memcpy(field, rows[i].offers, value.len);
        value.data = field;

        rc = ngx_ws_mgr_extension_offers(&value, &agreed);

        free(field);

        if (rows[i].answer == NULL) {
            if (rc != NGX_ERROR) {
                fail_msg("not malformed: %s", rows[i].offers);
            }

            continue;
        }

        p = buf;

        if (agreed.window) {
            p = ngx_ws_mgr_extension_answer(buf, &agreed);
        }

        *p = '\0';

        if (rc != NGX_OK || agreed.window != rows[i].window
            || strcmp((char *) buf, rows[i].answer) != 0)
        {
            fail_msg("%s: %d, %u, %s", rows[i].offers, (int) rc,
                     (unsigned) agreed.window, (char *) buf);
        }
    }
}


/* what an earlier field has agreed on stays */

static void
test_fields(void **state)
{
    ngx_str_t               first, second;
    ngx_ws_mgr_extension_t  agreed;

    (void) state;

    first = ngx_ws_mgr_unit_str(PMD "; server_max_window_bits=11");
    second = ngx_ws_mgr_unit_str(PMD "; server_max_window_bits=12");

    memset(&agreed, 0, sizeof(agreed));

    assert_int_equal(ngx_ws_mgr_extension_offers(&first, &agreed), NGX_OK);
    assert_int_equal(ngx_ws_mgr_extension_offers(&second, &agreed), NGX_OK);
    assert_int_equal(agreed.window, 11);

    second = ngx_ws_mgr_unit_str(PMD ";");
    assert_int_equal(ngx_ws_mgr_extension_offers(&second, &agreed),
                     NGX_ERROR);
}


int
ngx_ws_mgr_unit_extension(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_fields)
    };

    return cmocka_run_group_tests_name("extension", tests, NULL, NULL);
}
