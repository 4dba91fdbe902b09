
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_event_log_latest.h>


static ngx_uint_t ngx_ws_mgr_log_latest_same(ngx_ws_mgr_event_t *event,
    ngx_ws_mgr_event_t *other);
static ngx_ws_mgr_event_t **ngx_ws_mgr_log_latest_bucket(
    ngx_ws_mgr_ids_t *ids, ngx_ws_mgr_latest_t *latest);


size_t
ngx_ws_mgr_log_latest_size(size_t size, size_t run_len, size_t type_len)
{
    return ngx_align(size, sizeof(void *))
           + offsetof(ngx_ws_mgr_latest_t, data) + run_len + type_len;
}


ngx_ws_mgr_latest_t *
ngx_ws_mgr_log_latest(ngx_ws_mgr_event_t *event)
{
    size_t  size;

    size = offsetof(ngx_ws_mgr_event_t, data) + event->frame + event->id_len
           + event->target_len;

    return (ngx_ws_mgr_latest_t *)
                          ((u_char *) event + ngx_align(size, sizeof(void *)));
}


void
ngx_ws_mgr_log_latest_insert(ngx_ws_mgr_ids_t *ids, ngx_ws_mgr_event_t *event,
    ngx_ws_mgr_entry_t *entry)
{
    u_char               *p;
    ngx_ws_mgr_event_t  **link;
    ngx_ws_mgr_latest_t  *latest, *old;

    latest = ngx_ws_mgr_log_latest(event);

    latest->run_len = (uint8_t) entry->run.len;
    latest->type_len = (uint8_t) entry->type.len;

    p = latest->data;

    if (entry->run.len) {
        p = ngx_cpymem(p, entry->run.data, entry->run.len);
    }

    p = ngx_cpymem(p, entry->type.data, entry->type.len);

    /* those of one key in many logs must not fill one bucket */

    latest->hash = ngx_murmur_hash2(latest->data, p - latest->data)
                   ^ (uint32_t) (((uintptr_t) event->log >> 6) * 0x9e3779b1);

    for (link = ngx_ws_mgr_log_latest_bucket(ids, latest);
         *link;
         link = &old->next)
    {
        old = ngx_ws_mgr_log_latest(*link);

        if (old->hash == latest->hash
            && ngx_ws_mgr_log_latest_same(*link, event))
        {
            if ((*link)->seq > event->seq) {
                event->superseded = 1;
                return;
            }

            (*link)->superseded = 1;
            *link = old->next;
            break;
        }
    }

    link = ngx_ws_mgr_log_latest_bucket(ids, latest);

    latest->next = *link;
    *link = event;
}


void
ngx_ws_mgr_log_latest_remove(ngx_ws_mgr_ids_t *ids, ngx_ws_mgr_event_t *event)
{
    ngx_ws_mgr_event_t   **link;
    ngx_ws_mgr_latest_t   *latest;

    latest = ngx_ws_mgr_log_latest(event);
    link = ngx_ws_mgr_log_latest_bucket(ids, latest);

    while (*link != event) {
        link = &ngx_ws_mgr_log_latest(*link)->next;
    }

    *link = latest->next;
}


/* of one run and type, and for the same sockets */

static ngx_uint_t
ngx_ws_mgr_log_latest_same(ngx_ws_mgr_event_t *event,
    ngx_ws_mgr_event_t *other)
{
    ngx_ws_mgr_latest_t  *a, *b;

    a = ngx_ws_mgr_log_latest(event);
    b = ngx_ws_mgr_log_latest(other);

    return event->log == other->log
           && event->to == other->to
           && a->run_len == b->run_len
           && a->type_len == b->type_len
           && event->target_len == other->target_len
           && ngx_memcmp(a->data, b->data, a->run_len + a->type_len) == 0
           && ngx_memcmp(ngx_ws_mgr_event_target(event),
                         ngx_ws_mgr_event_target(other), event->target_len)
              == 0;
}


static ngx_ws_mgr_event_t **
ngx_ws_mgr_log_latest_bucket(ngx_ws_mgr_ids_t *ids,
    ngx_ws_mgr_latest_t *latest)
{
    return &ids->latest[latest->hash & ids->latest_mask];
}
