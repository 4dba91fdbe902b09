
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_record.h>
#include <ngx_ws_mgr_registry.h>


#define NGX_WS_MGR_RECORD_VERSION  1
#define NGX_WS_MGR_RECORD_ID       255     /* bytes of an id */

/* decimals in front of the cost: version, to, class, ttl, known, tokens */
#define NGX_WS_MGR_RECORD_FIGURES  7


static void ngx_ws_mgr_record_texts(ngx_ws_mgr_publish_t *p,
    ngx_str_t *texts);
static u_char *ngx_ws_mgr_record_decimal(u_char *p, u_char *last,
    uint64_t *n);
static u_char *ngx_ws_mgr_record_real(u_char *p, u_char *last, double *real);
static ngx_int_t ngx_ws_mgr_record_fill(ngx_ws_mgr_record_t *record,
    uint64_t *figures, ngx_str_t *texts);
static ngx_int_t ngx_ws_mgr_record_target(ngx_ws_mgr_record_t *record);


/* all but what was posted, which is in pieces */

static void
ngx_ws_mgr_record_texts(ngx_ws_mgr_publish_t *p, ngx_str_t *texts)
{
    texts[0] = p->entry.user_raw;
    texts[1] = p->entry.event_id;
    texts[2] = p->entry.type;
    texts[3] = p->entry.run;
    texts[4] = p->run.thread;
    texts[5] = p->run.tool;
    texts[6] = (p->entry.to == NGX_WS_MGR_TO_CONNECTION) ? p->connection
                                                         : p->entry.target;
}


size_t
ngx_ws_mgr_record_size(ngx_ws_mgr_publish_t *p)
{
    size_t      size;
    ngx_uint_t  i;
    ngx_str_t   texts[NGX_WS_MGR_RECORD_TEXTS];

    ngx_ws_mgr_record_texts(p, texts);

    size = NGX_WS_MGR_RECORD_HEAD + p->entry.size;

    for (i = 0; i < NGX_WS_MGR_RECORD_TEXTS - 1; i++) {
        size += texts[i].len;
    }

    return size;
}


u_char *
ngx_ws_mgr_record_write(u_char *buf, ngx_ws_mgr_publish_t *p)
{
    u_char      *last;
    ngx_uint_t   i;
    ngx_str_t    texts[NGX_WS_MGR_RECORD_TEXTS];

    ngx_ws_mgr_record_texts(p, texts);

    last = ngx_sprintf(buf, "%d %ui %ui %uL %ui %uL %uL ",
                       NGX_WS_MGR_RECORD_VERSION, p->entry.to,
                       p->entry.class, p->entry.ttl, p->run.known,
                       p->run.tokens.input_tokens,
                       p->run.tokens.output_tokens);

    /* nginx's own has no such format; what it says is the same in any locale
       that nginx sets */

    last += snprintf((char *) last, 32, "%.17g", p->run.tokens.cost);

    for (i = 0; i < NGX_WS_MGR_RECORD_TEXTS - 1; i++) {
        last = ngx_sprintf(last, " %uz", texts[i].len);
    }

    last = ngx_sprintf(last, " %uz\n", p->entry.size);

    for (i = 0; i < NGX_WS_MGR_RECORD_TEXTS - 1; i++) {
        if (texts[i].len) {
            last = ngx_cpymem(last, texts[i].data, texts[i].len);
        }
    }

    for (i = 0; i < p->entry.npieces; i++) {
        last = ngx_cpymem(last, p->entry.pieces[i].data,
                          p->entry.pieces[i].len);
    }

    return last;
}


ngx_int_t
ngx_ws_mgr_record_read(ngx_ws_mgr_record_t *record, u_char *text, size_t len)
{
    u_char      *p, *last;
    uint64_t     n, figures[NGX_WS_MGR_RECORD_FIGURES];
    ngx_uint_t   i;
    ngx_str_t    texts[NGX_WS_MGR_RECORD_TEXTS];

    ngx_memzero(record, sizeof(ngx_ws_mgr_record_t));

    p = text;
    last = text + len;

    for (i = 0; i < NGX_WS_MGR_RECORD_FIGURES; i++) {
        p = ngx_ws_mgr_record_decimal(p, last, &figures[i]);
    }

    p = ngx_ws_mgr_record_real(p, last, &record->publish.run.tokens.cost);

    for (i = 0; i < NGX_WS_MGR_RECORD_TEXTS; i++) {
        p = ngx_ws_mgr_record_decimal(p, last, &n);
        texts[i].len = n;
    }

    if (p == NULL) {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_WS_MGR_RECORD_TEXTS; i++) {

        if (texts[i].len > (size_t) (last - p)) {
            return NGX_DECLINED;
        }

        texts[i].data = p;
        p += texts[i].len;
    }

    return p == last ? ngx_ws_mgr_record_fill(record, figures, texts)
                     : NGX_DECLINED;
}


/* p NULL: it was broken before; the same is returned where it is now */

static u_char *
ngx_ws_mgr_record_decimal(u_char *p, u_char *last, uint64_t *n)
{
    u_char  *start;

    *n = 0;
    start = p;

    for ( /* void */ ; p && p < last && *p >= '0' && *p <= '9'; p++) {

        if (p - start == NGX_INT64_LEN - 2) {
            return NULL;
        }

        *n = *n * 10 + (*p - '0');
    }

    if (p == start || p == last || (*p != ' ' && *p != '\n')) {
        return NULL;
    }

    return p + 1;
}


static u_char *
ngx_ws_mgr_record_real(u_char *p, u_char *last, double *real)
{
    char    *end, text[32];
    size_t   len;

    if (p == NULL) {
        return NULL;
    }

    for (len = 0; p + len < last && p[len] != ' '; len++) {

        if (len == sizeof(text) - 1) {
            return NULL;
        }

        text[len] = (char) p[len];
    }

    text[len] = '\0';
    *real = strtod(text, &end);

    return (end == text || *end || p + len == last) ? NULL : p + len + 1;
}


static ngx_int_t
ngx_ws_mgr_record_fill(ngx_ws_mgr_record_t *record, uint64_t *figures,
    ngx_str_t *texts)
{
    ngx_uint_t               i;
    ngx_ws_mgr_entry_t      *entry;
    ngx_ws_mgr_run_event_t  *run;

    for (i = 1; i < 6; i++) {
        if (texts[i].len > NGX_WS_MGR_RECORD_ID) {
            return NGX_DECLINED;
        }
    }

    if (figures[0] != NGX_WS_MGR_RECORD_VERSION
        || figures[1] > NGX_WS_MGR_TO_OTHERS
        || figures[2] > NGX_WS_MGR_CLASS_DROP
        || figures[4] > NGX_WS_MGR_TYPE_AGENT_DEATH
        || texts[NGX_WS_MGR_RECORD_TEXTS - 1].len == 0)
    {
        return NGX_DECLINED;
    }

    entry = &record->publish.entry;
    run = &record->publish.run;

    entry->to = figures[1];
    entry->class = figures[2];
    entry->ttl = figures[3];
    run->known = figures[4];
    run->tokens.input_tokens = figures[5];
    run->tokens.output_tokens = figures[6];

    entry->user_raw = texts[0];
    entry->event_id = texts[1];
    entry->type = texts[2];
    entry->run = texts[3];
    run->id = texts[3];
    run->thread = texts[4];
    run->tool = texts[5];
    entry->target = texts[6];

    record->posted = texts[7];
    entry->pieces = &record->posted;
    entry->npieces = 1;
    entry->size = record->posted.len;

    return ngx_ws_mgr_record_target(record);
}


static ngx_int_t
ngx_ws_mgr_record_target(ngx_ws_mgr_record_t *record)
{
    u_char      *p, *last;
    ngx_str_t   *target;

    target = &record->publish.entry.target;

    switch (record->publish.entry.to) {

    case NGX_WS_MGR_TO_CONNECTION:

        record->publish.connection = *target;

        /* of another node: nobody's here */

        if (ngx_ws_mgr_registry_conn_number(target, &record->number) != NGX_OK)
        {
            record->number = (uint64_t) -1;
        }

        target->data = (u_char *) &record->number;
        target->len = sizeof(uint64_t);

        return NGX_OK;

    case NGX_WS_MGR_TO_THREAD:
        return target->len <= NGX_WS_MGR_RECORD_ID ? NGX_OK : NGX_DECLINED;

    case NGX_WS_MGR_TO_OTHERS:

        last = target->data + target->len;

        for (p = target->data; p < last; p += 1 + *p) { /* void */ }

        return p == last ? NGX_OK : NGX_DECLINED;

    default:
        return target->len == 0 ? NGX_OK : NGX_DECLINED;
    }
}
