
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_frame.h>


#define NGX_WS_MGR_FRAME_HIGH_BITS  0x8080808080808080ULL

/* the state: how many bytes are to come, and bounds of the next one */
#define ngx_ws_mgr_frame_expect(n, low, high)                                 \
    ((uint32_t) (n) << 16 | (low) << 8 | (high))


static uint32_t ngx_ws_mgr_frame_utf8_lead(u_char c);
static size_t ngx_ws_mgr_frame_utf8_whole(const u_char *p);
static const u_char *ngx_ws_mgr_frame_ascii(const u_char *p,
    const u_char *last);


ngx_int_t
ngx_ws_mgr_frame_utf8(uint32_t *state, const u_char *p, const u_char *last)
{
    size_t    n;
    uint32_t  s;

    s = *state;

    for ( ;; ) {

        if (p == last) {
            *state = s;
            return NGX_OK;
        }

        if (s == 0) {

            if (*p < 0x80) {
                p = ngx_ws_mgr_frame_ascii(p, last);
                continue;
            }

            if (last - p >= 3) {
                n = ngx_ws_mgr_frame_utf8_whole(p);
                p += n;

                if (n) {
                    continue;
                }
            }

            s = ngx_ws_mgr_frame_utf8_lead(*p++);

            if (s == 0) {
                return NGX_ERROR;
            }

            continue;
        }

        if (*p < (s >> 8 & 0xff) || *p > (s & 0xff)) {
            return NGX_ERROR;
        }

        p++;
        s >>= 16;
        s = (s > 1) ? ngx_ws_mgr_frame_expect(s - 1, 0x80, 0xbf) : 0;
    }
}


/*
 * The first byte of a character that is not ASCII: Unicode's table 3-7.  0: it
 * cannot begin one.
 */

static uint32_t
ngx_ws_mgr_frame_utf8_lead(u_char c)
{
    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }

    if (c < 0xe0) {
        return ngx_ws_mgr_frame_expect(1, 0x80, 0xbf);
    }

    switch (c) {

    case 0xe0:
        return ngx_ws_mgr_frame_expect(2, 0xa0, 0xbf);

    case 0xed:
        return ngx_ws_mgr_frame_expect(2, 0x80, 0x9f);

    case 0xf0:
        return ngx_ws_mgr_frame_expect(3, 0x90, 0xbf);

    case 0xf4:
        return ngx_ws_mgr_frame_expect(3, 0x80, 0x8f);

    default:
        return (c < 0xf0) ? ngx_ws_mgr_frame_expect(2, 0x80, 0xbf)
                          : ngx_ws_mgr_frame_expect(3, 0x80, 0xbf);
    }
}


/* the length of a plain character of two or three bytes at p; 0: look closer */

static size_t
ngx_ws_mgr_frame_utf8_whole(const u_char *p)
{
    if ((p[1] & 0xc0) != 0x80) {
        return 0;
    }

    if (p[0] >= 0xc2 && p[0] < 0xe0) {
        return 2;
    }

    if (p[0] > 0xe0 && p[0] < 0xf0 && p[0] != 0xed && (p[2] & 0xc0) == 0x80) {
        return 3;
    }

    return 0;
}


/* the first byte that is not ASCII, or last */

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

    while (p < last && *p < 0x80) {
        p++;
    }

    return p;
}
