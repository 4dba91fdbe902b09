
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_event_log_latest.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_LOG_RING  8             /* places of a first ring */


static uint64_t ngx_ws_mgr_log_seq(ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_entry_t *entry);
static u_char *ngx_ws_mgr_log_base36(u_char *p, uint64_t n);
static size_t ngx_ws_mgr_log_payload(ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_entry_t *entry);
static u_char *ngx_ws_mgr_log_head(u_char *p, ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_entry_t *entry);
static uint32_t ngx_ws_mgr_log_hash(ngx_ws_mgr_log_t *log,
    ngx_str_t *event_id);
static ngx_uint_t ngx_ws_mgr_log_skip(ngx_ws_mgr_batch_t *batch,
    ngx_ws_mgr_event_t *event);


void
ngx_ws_mgr_log_init(ngx_ws_mgr_log_t *log, uint64_t id, uint64_t epoch,
    ngx_uint_t broadcast)
{
    log->id = id;
    log->epoch = epoch;
    log->broadcast = (uint8_t) broadcast;
    log->epoch_len = (uint8_t) (ngx_ws_mgr_log_base36(log->epoch_text, epoch)
                                - log->epoch_text);
}


void
ngx_ws_mgr_log_restart(ngx_ws_mgr_log_t *log, uint64_t id, uint64_t epoch,
    uint64_t seq)
{
    ngx_ws_mgr_log_init(log, id, epoch, log->broadcast);

    log->last = seq;
    log->floor = seq;
    log->shared = 1;
}


size_t
ngx_ws_mgr_log_measure(ngx_ws_mgr_log_t *log, ngx_ws_mgr_entry_t *entry)
{
    size_t  payload, size;

    payload = ngx_ws_mgr_log_payload(log, entry);

    if (payload + entry->target.len > NGX_MAX_INT32_VALUE) {
        return 0;
    }

    size = offsetof(ngx_ws_mgr_event_t, data)
           + ngx_ws_mgr_frame_header_size(payload) + payload
           + entry->event_id.len + entry->target.len;

    return (entry->class == NGX_WS_MGR_CLASS_LATEST)
           ? ngx_ws_mgr_log_latest_size(size, entry->run.len, entry->type.len)
           : size;
}


size_t
ngx_ws_mgr_event_size(ngx_ws_mgr_event_t *event)
{
    size_t                size;
    ngx_ws_mgr_latest_t  *latest;

    size = offsetof(ngx_ws_mgr_event_t, data) + event->frame + event->id_len
           + event->target_len;

    if (event->class != NGX_WS_MGR_CLASS_LATEST) {
        return size;
    }

    latest = ngx_ws_mgr_log_latest(event);

    return ngx_ws_mgr_log_latest_size(size, latest->run_len,
                                      latest->type_len);
}


size_t
ngx_ws_mgr_log_room(ngx_ws_mgr_log_t *log)
{
    if (log->last - log->floor < log->size) {
        return 0;
    }

    return (log->size ? 2 * log->size : NGX_WS_MGR_LOG_RING)
           * sizeof(ngx_ws_mgr_event_t *);
}


void *
ngx_ws_mgr_log_grow(ngx_ws_mgr_log_t *log, void *ring, size_t size)
{
    uint64_t              seq;
    ngx_uint_t            n;
    ngx_ws_mgr_event_t  **old, **new;

    old = log->ring;
    new = ring;
    n = size / sizeof(ngx_ws_mgr_event_t *);

    for (seq = log->floor + 1; seq <= log->last; seq++) {
        new[seq & (n - 1)] = old[seq & (log->size - 1)];
    }

    log->ring = new;
    log->size = (uint32_t) n;

    return old;
}


void
ngx_ws_mgr_log_append(ngx_ws_mgr_log_t *log, ngx_ws_mgr_ids_t *ids,
    ngx_ws_mgr_event_t *event, ngx_ws_mgr_entry_t *entry)
{
    u_char               *p;
    ngx_uint_t            i;
    ngx_ws_mgr_event_t  **bucket;

    ngx_memzero(event, offsetof(ngx_ws_mgr_event_t, data));

    p = ngx_ws_mgr_frame_header(event->data, NGX_WS_MGR_OP_TEXT,
                                ngx_ws_mgr_log_payload(log, entry));
    p = ngx_ws_mgr_log_head(p, log, entry);

    event->posted = (uint32_t) (p - event->data);

    for (i = 0; i < entry->npieces; i++) {
        p = ngx_cpymem(p, entry->pieces[i].data, entry->pieces[i].len);
    }

    event->frame = (uint32_t) (p - event->data);

    if (entry->event_id.len) {
        p = ngx_cpymem(p, entry->event_id.data, entry->event_id.len);
    }

    if (entry->target.len) {
        ngx_memcpy(p, entry->target.data, entry->target.len);
    }

    event->log = log;
    event->seq = ngx_ws_mgr_log_seq(log, entry);
    event->ts = entry->now;
    event->expires = entry->ttl ? entry->now + entry->ttl : 0;
    event->target_len = (uint32_t) entry->target.len;
    event->id_len = (uint8_t) entry->event_id.len;
    event->to = (uint8_t) entry->to;
    event->class = (uint8_t) entry->class;

    if (event->id_len) {
        event->hash = ngx_ws_mgr_log_hash(log, &entry->event_id);

        bucket = &ids->buckets[event->hash & ids->mask];
        event->next = *bucket;
        *bucket = event;
    }

    if (event->class == NGX_WS_MGR_CLASS_LATEST) {
        ngx_ws_mgr_log_latest_insert(ids, event, entry);
    }

    if (event->seq > log->last) {
        log->last = event->seq;

    } else {
        log->floor = event->seq - 1;
    }

    if (event->ts < (uint64_t) log->since * 1000) {
        log->since = 0;
    }

    log->ring[event->seq & (log->size - 1)] = event;
    log->bytes += ngx_ws_mgr_event_size(event);
}


ngx_ws_mgr_event_t *
ngx_ws_mgr_log_evict(ngx_ws_mgr_log_t *log, ngx_ws_mgr_ids_t *ids)
{
    ngx_ws_mgr_event_t  *event, **link;

    event = ngx_ws_mgr_log_oldest(log);

    if (event == NULL) {
        return NULL;
    }

    log->floor = event->seq;
    log->bytes -= ngx_ws_mgr_event_size(event);

    /* the next to go has left the caches; the next append looks at it */

    __builtin_prefetch(ngx_ws_mgr_log_oldest(log));

    if (event->id_len) {
        link = &ids->buckets[event->hash & ids->mask];

        while (*link != event) {
            link = &(*link)->next;
        }

        *link = event->next;
    }

    if (event->class == NGX_WS_MGR_CLASS_LATEST && !event->superseded) {
        ngx_ws_mgr_log_latest_remove(ids, event);
    }

    return event;
}


ngx_ws_mgr_event_t *
ngx_ws_mgr_log_oldest(ngx_ws_mgr_log_t *log)
{
    if (log->floor == log->last) {
        return NULL;
    }

    return log->ring[(log->floor + 1) & (log->size - 1)];
}


uint64_t
ngx_ws_mgr_log_stamp(ngx_ws_mgr_log_t *log, uint64_t seq)
{
    if (seq <= log->floor || seq > log->last) {
        return 0;
    }

    return log->ring[seq & (log->size - 1)]->ts;
}


ngx_ws_mgr_event_t *
ngx_ws_mgr_log_find(ngx_ws_mgr_log_t *log, ngx_ws_mgr_ids_t *ids,
    ngx_str_t *event_id)
{
    uint32_t             hash;
    ngx_ws_mgr_event_t  *event;

    hash = ngx_ws_mgr_log_hash(log, event_id);

    for (event = ids->buckets[hash & ids->mask]; event; event = event->next) {

        if (event->hash == hash
            && event->log == log
            && event->id_len == event_id->len
            && ngx_memcmp(ngx_ws_mgr_event_id(event), event_id->data,
                          event_id->len)
               == 0)
        {
            return event;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_ws_mgr_log_same(ngx_ws_mgr_event_t *event, ngx_ws_mgr_entry_t *entry)
{
    u_char      *p;
    ngx_uint_t   i;

    if (event->frame - event->posted != entry->size) {
        return 0;
    }

    /* what was taken out of the body */

    if (event->to != entry->to
        || event->class != entry->class
        || event->expires != (entry->ttl ? event->ts + entry->ttl : 0)
        || event->target_len != entry->target.len)
    {
        return 0;
    }

    if (event->target_len
        && ngx_memcmp(ngx_ws_mgr_event_target(event), entry->target.data,
                      event->target_len)
           != 0)
    {
        return 0;
    }

    p = event->data + event->posted;

    for (i = 0; i < entry->npieces; i++) {
        if (ngx_memcmp(p, entry->pieces[i].data, entry->pieces[i].len) != 0) {
            return 0;
        }

        p += entry->pieces[i].len;
    }

    return 1;
}


void
ngx_ws_mgr_log_read_none(uint64_t cursor, ngx_ws_mgr_batch_t *batch)
{
    batch->last = batch->start;
    batch->n = 0;
    batch->log = 0;
    batch->cursor = cursor;
    batch->more = 0;
    batch->aimed = 0;
    ngx_memzero(&batch->skips, sizeof(ngx_ws_mgr_skips_t));
}


ngx_int_t
ngx_ws_mgr_log_read(ngx_ws_mgr_log_t *log, uint64_t cursor, uint64_t now,
    ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match, void *data)
{
    uint64_t             seq, last;
    ngx_ws_mgr_event_t  *event;

    ngx_ws_mgr_log_read_none(cursor, batch);
    batch->log = log->id;

    if (cursor < log->floor) {
        return NGX_DECLINED;
    }

    last = log->last;

    if (last > cursor + NGX_WS_MGR_BATCH_EVENTS) {
        last = cursor + NGX_WS_MGR_BATCH_EVENTS;
        batch->more = 1;
    }

    for (seq = cursor + 1; seq <= last; seq++) {
        event = log->ring[seq & (log->size - 1)];

        if (event->to != NGX_WS_MGR_TO_USER) {
            batch->aimed = 1;

            if (!match(event, data)) {
                batch->cursor = seq;
                continue;
            }
        }

        if ((event->expires && event->expires <= now)
            || ngx_ws_mgr_log_skip(batch, event))
        {
            batch->cursor = seq;
            continue;
        }

        if (batch->n == NGX_WS_MGR_BATCH_FRAMES
            || event->frame > (size_t) (batch->end - batch->last))
        {
            batch->more = 1;
            return batch->n ? NGX_OK : NGX_ERROR;
        }

        batch->last = ngx_cpymem(batch->last, event->data, event->frame);
        batch->frames[batch->n].end = (uint32_t) (batch->last - batch->start);
        batch->frames[batch->n].skips = batch->skips;
        batch->frames[batch->n].seq = seq;
        batch->frames[batch->n].ts = event->ts;
        batch->n++;
        batch->cursor = seq;
    }

    return NGX_OK;
}


/* true if the class of the event allows what lags not to have it */

static ngx_uint_t
ngx_ws_mgr_log_skip(ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_event_t *event)
{
    if (batch->skip_from == 0 || event->seq < batch->skip_from) {
        return 0;
    }

    if (event->class == NGX_WS_MGR_CLASS_DROP) {
        batch->skips.drop++;

    } else if (event->superseded) {
        batch->skips.latest++;

    } else {
        return 0;
    }

    event->skipped = 1;

    return 1;
}


ngx_uint_t
ngx_ws_mgr_log_matching(ngx_ws_mgr_log_t *log, uint64_t cursor, uint64_t now,
    ngx_ws_mgr_match_pt match, void *data)
{
    uint64_t             seq;
    ngx_uint_t           n;
    ngx_ws_mgr_event_t  *event;

    n = 0;

    for (seq = ngx_max(cursor, log->floor) + 1; seq <= log->last; seq++) {
        event = log->ring[seq & (log->size - 1)];

        if ((event->expires == 0 || event->expires > now)
            && (event->to == NGX_WS_MGR_TO_USER || match(event, data)))
        {
            n++;
        }
    }

    return n;
}


u_char *
ngx_ws_mgr_log_position(u_char *p, ngx_ws_mgr_position_t *position)
{
    p = ngx_ws_mgr_log_base36(p, position->epoch);
    *p++ = '-';

    if (position->broadcast) {
        *p++ = 'b';
    }

    return ngx_ws_mgr_text_decimal(p, position->seq);
}


ngx_int_t
ngx_ws_mgr_log_position_parse(ngx_str_t *text, ngx_ws_mgr_position_t *position)
{
    u_char      *p, *last, *start;
    uint64_t     digit;

    p = text->data;
    last = p + text->len;

    position->epoch = 0;
    position->seq = 0;
    position->broadcast = 0;

    for (start = p; p < last && *p != '-'; p++) {

        if (*p >= '0' && *p <= '9') {
            digit = *p - '0';

        } else if (*p >= 'a' && *p <= 'z') {
            digit = *p - 'a' + 10;

        } else {
            return NGX_ERROR;
        }

        if (position->epoch > ((UINT64_MAX >> 1) - digit) / 36) {
            return NGX_ERROR;
        }

        position->epoch = position->epoch * 36 + digit;
    }

    if (p == start || p == last || position->epoch == 0) {
        return NGX_ERROR;
    }

    p++;

    if (p < last && *p == 'b') {
        position->broadcast = 1;
        p++;
    }

    for (start = p; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        digit = *p - '0';

        if (position->seq > (UINT64_MAX - digit) / 10) {
            return NGX_ERROR;
        }

        position->seq = position->seq * 10 + digit;
    }

    return (p == start) ? NGX_ERROR : NGX_OK;
}


static uint64_t
ngx_ws_mgr_log_seq(ngx_ws_mgr_log_t *log, ngx_ws_mgr_entry_t *entry)
{
    return entry->seq ? entry->seq : log->last + 1;
}


/* the server's members: {"id":"<epoch>-<seq>","seq":<seq>,"ts":<ts>, */

static size_t
ngx_ws_mgr_log_payload(ngx_ws_mgr_log_t *log, ngx_ws_mgr_entry_t *entry)
{
    size_t  size;

    size = sizeof("{\"id\":\"-\",\"seq\":,\"ts\":,") - 1
           + log->epoch_len + log->broadcast
           + 2 * ngx_ws_mgr_text_digits(ngx_ws_mgr_log_seq(log, entry))
           + ngx_ws_mgr_text_digits(entry->now)
           + entry->size;

    if (entry->user_raw.len) {
        size += sizeof("\"user_id\":,") - 1 + entry->user_raw.len;
    }

    return size;
}


static u_char *
ngx_ws_mgr_log_head(u_char *p, ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_entry_t *entry)
{
    u_char  *seq;
    size_t   len;

    p = ngx_cpymem(p, "{\"id\":\"", sizeof("{\"id\":\"") - 1);
    p = ngx_cpymem(p, log->epoch_text, log->epoch_len);
    *p++ = '-';

    if (log->broadcast) {
        *p++ = 'b';
    }

    seq = p;
    p = ngx_ws_mgr_text_decimal(p, ngx_ws_mgr_log_seq(log, entry));
    len = p - seq;

    p = ngx_cpymem(p, "\",\"seq\":", sizeof("\",\"seq\":") - 1);
    p = ngx_cpymem(p, seq, len);
    p = ngx_cpymem(p, ",\"ts\":", sizeof(",\"ts\":") - 1);
    p = ngx_ws_mgr_text_decimal(p, entry->now);
    *p++ = ',';

    if (entry->user_raw.len) {
        p = ngx_cpymem(p, "\"user_id\":", sizeof("\"user_id\":") - 1);
        p = ngx_cpymem(p, entry->user_raw.data, entry->user_raw.len);
        *p++ = ',';
    }

    return p;
}


static uint32_t
ngx_ws_mgr_log_hash(ngx_ws_mgr_log_t *log, ngx_str_t *event_id)
{
    /* the same event_id in many logs must not fill one bucket */

    return ngx_murmur_hash2(event_id->data, event_id->len)
           ^ (uint32_t) (((uintptr_t) log >> 6) * 0x9e3779b1);
}


static u_char *
ngx_ws_mgr_log_base36(u_char *p, uint64_t n)
{
    u_char         *d, text[NGX_WS_MGR_EPOCH_LEN];
    static u_char   digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    d = text + NGX_WS_MGR_EPOCH_LEN;

    do {
        *--d = digits[n % 36];
        n /= 36;
    } while (n && d > text);

    return ngx_cpymem(p, d, text + NGX_WS_MGR_EPOCH_LEN - d);
}
