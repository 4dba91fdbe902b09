
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * How fast the parser reads a client's frames: finds them, unmasks them and
 * checks that text is UTF-8.  The frames are what a socket's read left in the
 * worker's buffer, of about the size of that, and so in the processor's cache.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_frame.h>


#define BUFFER  65536                      /* bytes of payload in the buffer */
#define ROUNDS  15                         /* of which the median is taken */
#define ROUND   50000000                   /* ns that a round takes, or more */


typedef struct {
    const char  *name;
    ngx_uint_t   opcode;
    size_t       payload;
    const char  *text;                     /* what the payload repeats */
    double       gigabytes;                /* a second, wanted; 0: any */
    double       millions;                 /* of frames a second, wanted */
} bench_case_t;


typedef struct {
    u_char      *frames;                   /* as they came */
    u_char      *buf;                      /* where they are parsed */
    size_t       len;
    ngx_uint_t   n;                        /* frames */
} bench_stream_t;


int ngx_ws_mgr_bench_frame(void);

static int bench_case(const bench_case_t *c);
static ngx_int_t bench_stream(bench_stream_t *s, const bench_case_t *c);
static ngx_int_t bench_round(bench_stream_t *s, double *ns);
static ngx_uint_t bench_parse(bench_stream_t *s);
static uint64_t bench_now(void);
static int ngx_libc_cdecl bench_compare(const void *a, const void *b);


static const char  bench_ascii[] =
    "{\"type\":\"user_message\",\"text\":\"The quick brown fox jumps over \"}";

/* characters of one to four bytes, none of the lengths rare */
static const char  bench_mixed[] =
    "na\xc3\xafve \xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 "
    "\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80 "
    "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 abc ";

static const bench_case_t  bench_cases[] = {
    { "binary", NGX_WS_MGR_OP_BINARY, 65536, bench_ascii, 4, 0 },
    { "ASCII text", NGX_WS_MGR_OP_TEXT, 65536, bench_ascii, 2, 0 },
    { "mixed text", NGX_WS_MGR_OP_TEXT, 65536, bench_mixed, 0, 0 },
    { "binary", NGX_WS_MGR_OP_BINARY, 125, bench_ascii, 0, 10 },
    { "ASCII text", NGX_WS_MGR_OP_TEXT, 125, bench_ascii, 0, 10 },
    { "mixed text", NGX_WS_MGR_OP_TEXT, 125, bench_mixed, 0, 0 }
};


int
ngx_ws_mgr_bench_frame(void)
{
    int         missed;
    ngx_uint_t  i;

    printf("client frames of      bytes    GB/s  M frames/s  wanted\n");

    missed = 0;

    for (i = 0; i < sizeof(bench_cases) / sizeof(bench_cases[0]); i++) {
        missed |= bench_case(&bench_cases[i]);
    }

    return missed;
}


static int
bench_case(const bench_case_t *c)
{
    int             met;
    double          ns[ROUNDS], gigabytes, millions;
    ngx_uint_t      i;
    bench_stream_t  s;

    if (bench_stream(&s, c) != NGX_OK) {
        return 1;
    }

    for (i = 0; i < ROUNDS; i++) {
        if (bench_round(&s, &ns[i]) != NGX_OK) {
            printf("%s of %zu: not what was sent\n", c->name, c->payload);
            return 1;
        }
    }

    free(s.frames);
    free(s.buf);

    ngx_qsort(ns, ROUNDS, sizeof(double), bench_compare);

    millions = 1000 / ns[ROUNDS / 2];
    gigabytes = c->payload / ns[ROUNDS / 2];

    printf("%-18s %8zu %7.2f %11.2f", c->name, c->payload, gigabytes,
           millions);

    if (c->gigabytes == 0 && c->millions == 0) {
        printf("\n");
        return 0;
    }

    met = (gigabytes >= c->gigabytes && millions >= c->millions);

    printf("  %g %s: %s\n", c->gigabytes ? c->gigabytes : c->millions,
           c->gigabytes ? "GB/s" : "M frames/s", met ? "met" : "missed");

    return !met;
}


static ngx_int_t
bench_stream(bench_stream_t *s, const bench_case_t *c)
{
    size_t       k, text;
    u_char      *p, *payload, mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    ngx_uint_t   i;

    s->n = ngx_max(BUFFER / c->payload, 1);
    s->len = s->n * (ngx_ws_mgr_frame_header_size(c->payload) + sizeof(mask)
                     + c->payload);

    s->frames = malloc(s->len);
    s->buf = malloc(s->len);

    if (s->frames == NULL || s->buf == NULL) {
        return NGX_ERROR;
    }

    text = ngx_strlen(c->text);
    p = s->frames;

    for (i = 0; i < s->n; i++) {
        payload = ngx_ws_mgr_frame_header(p, c->opcode, c->payload);
        p[1] |= 0x80;

        p = ngx_cpymem(payload, mask, sizeof(mask));
        payload = p;

        /* whole copies only: a character is not cut */

        while (payload + c->payload - p >= (ssize_t) text) {
            p = ngx_cpymem(p, c->text, text);
        }

        k = payload + c->payload - p;
        ngx_memset(p, 'x', k);
        p += k;

        ngx_ws_mgr_frame_mask(payload, c->payload, mask, 0);
    }

    return NGX_OK;
}


/* *ns: for one frame */

static ngx_int_t
bench_round(bench_stream_t *s, double *ns)
{
    uint64_t    start, spent;
    ngx_uint_t  n;

    spent = 0;
    n = 0;

    while (spent < ROUND) {

        /* parsing unmasks in place; that they were put here is not counted */

        ngx_memcpy(s->buf, s->frames, s->len);

        start = bench_now();

        if (bench_parse(s) != s->n) {
            return NGX_ERROR;
        }

        spent += bench_now() - start;
        n += s->n;
    }

    *ns = (double) spent / n;

    return NGX_OK;
}


/* whole messages in the buffer; more than there are: something is wrong */

static ngx_uint_t
bench_parse(bench_stream_t *s)
{
    u_char              *pos;
    ngx_int_t            rc;
    ngx_str_t            data;
    ngx_uint_t           n, close;
    ngx_ws_mgr_frame_t   f;

    f.deflate = 0;
    ngx_ws_mgr_frame_init(&f);

    pos = s->buf;
    n = 0;

    for ( ;; ) {
        rc = ngx_ws_mgr_frame_parse(&f, &pos, s->buf + s->len, BUFFER, &data,
                                    &close);

        if (rc == NGX_AGAIN) {
            return n;
        }

        if (rc != NGX_WS_MGR_FRAME_MESSAGE) {
            return s->n + 1;
        }

        n++;
    }
}


static uint64_t
bench_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static int ngx_libc_cdecl
bench_compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return (x > y) - (x < y);
}
