
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_frame.h>


#define NGX_WS_MGR_FRAME_HIGH_BITS  0x8080808080808080ULL

/* bytes that pass before an impossible one among them is looked for */
#define NGX_WS_MGR_FRAME_UTF8_STEP  16


/*
 * What may come next, by Unicode's table 3-7.  A state is where its six bits
 * are in the row of a byte, which has the next state there; the first is that
 * of an impossible byte, and is not left any more.
 */

enum {
    sw_bad = 0,
    sw_start = 6,          /* a character begins */
    sw_one = 12,           /* one byte more, two, three */
    sw_two = 18,
    sw_three = 24,
    sw_e0 = 30,            /* after this byte: those that are not overlong, */
    sw_ed = 36,            /* no surrogate, */
    sw_f0 = 42,            /* not overlong, */
    sw_f4 = 48             /* at most U+10FFFF */
};


/* after a whole number of characters what others see is 0 */
#define ngx_ws_mgr_frame_utf8_state(s)  ((s) ^ sw_start)

#define NEXT(s, next)  ((uint64_t) (next) << (s))

#define BAD     0
#define ASCII   NEXT(sw_start, sw_start)
#define LEAD2   NEXT(sw_start, sw_one)
#define LEAD3   NEXT(sw_start, sw_two)
#define LEAD4   NEXT(sw_start, sw_three)
#define E0      NEXT(sw_start, sw_e0)
#define ED      NEXT(sw_start, sw_ed)
#define F0      NEXT(sw_start, sw_f0)
#define F4      NEXT(sw_start, sw_f4)
#define MORE    (NEXT(sw_one, sw_start) | NEXT(sw_two, sw_one)                \
                 | NEXT(sw_three, sw_two))
#define MORE_8  (MORE | NEXT(sw_ed, sw_one) | NEXT(sw_f4, sw_two))
#define MORE_9  (MORE | NEXT(sw_ed, sw_one) | NEXT(sw_f0, sw_two))
#define MORE_A  (MORE | NEXT(sw_e0, sw_one) | NEXT(sw_f0, sw_two))

#define X4(row)   row, row, row, row
#define X16(row)  X4(row), X4(row), X4(row), X4(row)


static const uint64_t  ngx_ws_mgr_frame_utf8_rows[256] = {
    X16(ASCII), X16(ASCII), X16(ASCII), X16(ASCII),
    X16(ASCII), X16(ASCII), X16(ASCII), X16(ASCII),

    X16(MORE_8), X16(MORE_9), X16(MORE_A), X16(MORE_A),

    BAD, BAD, LEAD2, LEAD2, X4(LEAD2), X4(LEAD2), X4(LEAD2),
    X16(LEAD2),
    E0, LEAD3, LEAD3, LEAD3, X4(LEAD3), X4(LEAD3), LEAD3, ED, LEAD3, LEAD3,
    F0, LEAD4, LEAD4, LEAD4, F4, BAD, BAD, BAD, X4(BAD), X4(BAD)
};


static const u_char *ngx_ws_mgr_frame_ascii(const u_char *p,
    const u_char *last);


ngx_int_t
ngx_ws_mgr_frame_utf8(uint32_t *state, const u_char *p, const u_char *last)
{
    uint64_t       s;
    const u_char  *end;

    s = ngx_ws_mgr_frame_utf8_state(*state);

    for ( ;; ) {

        if (s == sw_start) {
            p = ngx_ws_mgr_frame_ascii(p, last);
        }

        end = (last - p > NGX_WS_MGR_FRAME_UTF8_STEP)
              ? p + NGX_WS_MGR_FRAME_UTF8_STEP : last;

        while (p < end) {
            s = ngx_ws_mgr_frame_utf8_rows[*p++] >> (s & 63);
        }

        s &= 63;

        if (s == sw_bad) {
            return NGX_ERROR;
        }

        if (p == last) {
            *state = (uint32_t) ngx_ws_mgr_frame_utf8_state(s);
            return NGX_OK;
        }
    }
}


/* behind the words that are ASCII */

static const u_char *
ngx_ws_mgr_frame_ascii(const u_char *p, const u_char *last)
{
    uint64_t  w[4];

    while (last - p >= 32) {
        ngx_memcpy(w, p, 32);

        if ((w[0] | w[1] | w[2] | w[3]) & NGX_WS_MGR_FRAME_HIGH_BITS) {
            break;
        }

        p += 32;
    }

    while (last - p >= 8) {
        ngx_memcpy(w, p, 8);

        if (w[0] & NGX_WS_MGR_FRAME_HIGH_BITS) {
            break;
        }

        p += 8;
    }

    return p;
}
