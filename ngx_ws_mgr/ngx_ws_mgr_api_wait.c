
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_path.h>
#include <ngx_ws_mgr_api_wait.h>
#include <ngx_ws_mgr_census.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_wait.h>
#include <ngx_ws_mgr_wait.h>


#define NGX_WS_MGR_API_WAIT_PAGE   32      /* connections looked at at once */
#define NGX_WS_MGR_API_WAIT_USERS  1000


typedef enum {
    NGX_WS_MGR_API_WAIT_PENDING = 0,
    NGX_WS_MGR_API_WAIT_SENT,
    NGX_WS_MGR_API_WAIT_CONFIRMED,
    NGX_WS_MGR_API_WAIT_CLOSED
} ngx_ws_mgr_api_wait_state_e;


typedef struct {
    uint64_t                      number;
    ngx_uint_t                    state;
} ngx_ws_mgr_api_wait_conn_t;


/* one event for one user */

typedef struct {
    ngx_ws_mgr_api_wait_conn_t   *conns;
    ngx_uint_t                    nconns;
    ngx_uint_t                    known;   /* conns are all there were */
    uint64_t                      seq;
    size_t                        offset;  /* in the answer */
    ngx_uint_t                    settled;
} ngx_ws_mgr_api_wait_item_t;


typedef struct {
    ngx_ws_mgr_wait_t             wait;
    ngx_str_t                     user;
} ngx_ws_mgr_api_wait_user_t;


struct ngx_ws_mgr_api_wait_s {
    ngx_http_request_t           *request;
    ngx_array_t                   items;   /* ngx_ws_mgr_api_wait_item_t */
    ngx_array_t                   users;   /* ngx_ws_mgr_api_wait_user_t * */
    ngx_ws_mgr_conn_info_t       *page;

    /* of the event that is being published */
    ngx_ws_mgr_api_wait_conn_t   *before;
    ngx_uint_t                    nbefore;

    ngx_uint_t                    watched; /* connections, in all */
    ngx_msec_t                    timeout;
    ngx_event_t                   timer;
    ngx_event_t                   look;
    ngx_ws_mgr_api_wait_pt        done;
    void                         *data;
    unsigned                      confirmed:1;
    unsigned                      known:1; /* "before" is complete */
    unsigned                      timed_out:1;
};


static ngx_ws_mgr_api_wait_t *ngx_ws_mgr_api_wait_init(
    ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_api_wait_user(ngx_ws_mgr_api_wait_t *wait,
    ngx_str_t *user);
static ngx_int_t ngx_ws_mgr_api_wait_collect(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p, uint64_t since,
    ngx_ws_mgr_api_wait_conn_t **conns, ngx_uint_t *nconns);
static ngx_uint_t ngx_ws_mgr_api_wait_match(ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_conn_info_t *info);
static void ngx_ws_mgr_api_wait_merge(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p);
static ngx_uint_t ngx_ws_mgr_api_wait_has(ngx_ws_mgr_api_wait_conn_t *conns,
    ngx_uint_t n, uint64_t number);
static uint64_t ngx_ws_mgr_api_wait_posted(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p);
static ngx_uint_t ngx_ws_mgr_api_wait_any(ngx_ws_mgr_event_t *event,
    void *data);
static ngx_uint_t ngx_ws_mgr_api_wait_settled(ngx_ws_mgr_api_wait_t *wait);
static void ngx_ws_mgr_api_wait_look_item(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_api_wait_item_t *item);
static void ngx_ws_mgr_api_wait_changed(ngx_ws_mgr_wait_t *changed);
static void ngx_ws_mgr_api_wait_look_handler(ngx_event_t *ev);
static void ngx_ws_mgr_api_wait_timer_handler(ngx_event_t *ev);
static void ngx_ws_mgr_api_wait_finish(ngx_ws_mgr_api_wait_t *wait);
static void ngx_ws_mgr_api_wait_cleanup(void *data);


ngx_int_t
ngx_ws_mgr_api_wait_create(ngx_http_request_t *r,
    ngx_ws_mgr_api_wait_t **result)
{
    ngx_int_t               rc;
    ngx_str_t               value;
    ngx_uint_t              timeout, confirmed;
    ngx_ws_mgr_api_wait_t  *wait;

    *result = NULL;

    rc = ngx_ws_mgr_api_query(r, "wait", &value);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (value.len == sizeof("sent") - 1
        && ngx_memcmp(value.data, "sent", value.len) == 0)
    {
        confirmed = 0;

    } else if (value.len == sizeof("confirmed") - 1
               && ngx_memcmp(value.data, "confirmed", value.len) == 0)
    {
        confirmed = 1;

    } else {
        return NGX_ABORT;
    }

    rc = ngx_ws_mgr_api_query_number(r, "timeout", 0, NGX_WS_MGR_API_WAIT_MAX,
                                     NGX_WS_MGR_API_WAIT_DEFAULT, &timeout);
    if (rc != NGX_OK) {
        return rc;
    }

    wait = ngx_ws_mgr_api_wait_init(r);
    if (wait == NULL) {
        return NGX_ERROR;
    }

    wait->confirmed = confirmed;
    wait->timeout = timeout;

    *result = wait;

    return NGX_OK;
}


static ngx_ws_mgr_api_wait_t *
ngx_ws_mgr_api_wait_init(ngx_http_request_t *r)
{
    ngx_http_cleanup_t     *cln;
    ngx_ws_mgr_api_wait_t  *wait;

    wait = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_api_wait_t));
    if (wait == NULL) {
        return NULL;
    }

    wait->request = r;

    wait->page = ngx_palloc(r->pool, NGX_WS_MGR_API_WAIT_PAGE
                                     * sizeof(ngx_ws_mgr_conn_info_t));

    if (wait->page == NULL
        || ngx_array_init(&wait->items, r->pool, 4,
                          sizeof(ngx_ws_mgr_api_wait_item_t))
           != NGX_OK
        || ngx_array_init(&wait->users, r->pool, 4,
                          sizeof(ngx_ws_mgr_api_wait_user_t *))
           != NGX_OK)
    {
        return NULL;
    }

    wait->timer.handler = ngx_ws_mgr_api_wait_timer_handler;
    wait->timer.data = wait;
    wait->timer.log = r->connection->log;

    wait->look.handler = ngx_ws_mgr_api_wait_look_handler;
    wait->look.data = wait;
    wait->look.log = r->connection->log;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_ws_mgr_api_wait_cleanup;
    cln->data = wait;

    return wait;
}


void
ngx_ws_mgr_api_wait_before(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p)
{
    wait->known = 0;
    wait->nbefore = 0;

    /* positions on sockets are those of their users' logs */

    if (p->user.len == 1 && p->user.data[0] == '*') {
        return;
    }

    if (ngx_ws_mgr_api_wait_user(wait, &p->user) != NGX_OK) {
        return;
    }

    if (ngx_ws_mgr_api_wait_collect(wait, p, 0, &wait->before,
                                    &wait->nbefore)
        == NGX_OK)
    {
        wait->known = 1;
    }
}


static ngx_int_t
ngx_ws_mgr_api_wait_user(ngx_ws_mgr_api_wait_t *wait, ngx_str_t *name)
{
    ngx_uint_t                    i;
    ngx_ws_mgr_api_wait_user_t   *user, **users;

    users = wait->users.elts;

    for (i = 0; i < wait->users.nelts; i++) {
        if (users[i]->user.len == name->len
            && ngx_memcmp(users[i]->user.data, name->data, name->len) == 0)
        {
            return NGX_OK;
        }
    }

    if (wait->users.nelts == NGX_WS_MGR_API_WAIT_USERS) {
        return NGX_DECLINED;
    }

    user = ngx_pcalloc(wait->request->pool,
                       sizeof(ngx_ws_mgr_api_wait_user_t));
    if (user == NULL) {
        return NGX_ERROR;
    }

    user->user = *name;
    user->wait.changed = ngx_ws_mgr_api_wait_changed;
    user->wait.data = wait;

    users = ngx_array_push(&wait->users);
    if (users == NULL) {
        return NGX_ERROR;
    }

    *users = user;

    if (ngx_ws_mgr_wait_begin(&user->wait, name) != NGX_OK) {
        wait->users.nelts--;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The open connections that the event is for, that began at "since" or before
 * (0: whenever).  NGX_DECLINED: there are too many to watch.
 */

static ngx_int_t
ngx_ws_mgr_api_wait_collect(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p, uint64_t since,
    ngx_ws_mgr_api_wait_conn_t **conns, ngx_uint_t *nconns)
{
    uint64_t                     after;
    ngx_uint_t                   i, n, size;
    ngx_ws_mgr_conn_info_t      *info;
    ngx_ws_mgr_api_wait_conn_t  *list, *larger;

    list = NULL;
    size = 0;
    after = 0;
    *nconns = 0;

    do {
        n = ngx_ws_mgr_census_user_conns(&p->user, after, wait->page,
                                         NGX_WS_MGR_API_WAIT_PAGE);

        if (*nconns + n > size) {
            size = 2 * (*nconns + n);

            larger = ngx_palloc(wait->request->pool,
                                size * sizeof(ngx_ws_mgr_api_wait_conn_t));
            if (larger == NULL) {
                return NGX_ERROR;
            }

            if (*nconns) {
                ngx_memcpy(larger, list,
                           *nconns * sizeof(ngx_ws_mgr_api_wait_conn_t));
            }

            list = larger;
        }

        for (i = 0; i < n; i++) {
            info = &wait->page[i];
            after = info->number;

            if (!info->open || info->kick || (since && info->since > since)
                || !ngx_ws_mgr_api_wait_match(p, info))
            {
                continue;
            }

            list[*nconns].number = info->number;
            list[*nconns].state = NGX_WS_MGR_API_WAIT_PENDING;
            (*nconns)++;
        }

        if (wait->watched + *nconns > NGX_WS_MGR_API_WAIT_CONNS) {
            return NGX_DECLINED;
        }

    } while (n == NGX_WS_MGR_API_WAIT_PAGE);

    *conns = list;

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_mgr_api_wait_match(ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_conn_info_t *info)
{
    uint64_t  number;

    switch (p->entry.to) {

    case NGX_WS_MGR_TO_THREAD:
        return info->thread.len == p->entry.target.len
               && ngx_memcmp(info->thread.data, p->entry.target.data,
                             info->thread.len)
                  == 0;

    case NGX_WS_MGR_TO_CONNECTION:
        ngx_memcpy(&number, p->entry.target.data, sizeof(uint64_t));
        return info->number == number;

    default:
        return 1;
    }
}


void
ngx_ws_mgr_api_wait_after(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_text_t *t)
{
    uint64_t                     since;
    ngx_ws_mgr_api_wait_item_t  *item;

    item = ngx_array_push(&wait->items);
    if (item == NULL) {
        t->failed = 1;
        return;
    }

    if (p->duplicate && wait->known) {

        /* those that are still there of whom it was for at first */

        since = ngx_ws_mgr_api_wait_posted(wait, p);

        if (since == 0
            || ngx_ws_mgr_api_wait_collect(wait, p, since, &wait->before,
                                           &wait->nbefore)
               != NGX_OK)
        {
            wait->known = 0;
        }

    } else if (wait->known && wait->nbefore != p->sockets) {
        ngx_ws_mgr_api_wait_merge(wait, p);
    }

    item->seq = p->position.seq;
    item->offset = ngx_ws_mgr_text_len(t);
    item->known = wait->known;
    item->settled = !wait->known;
    item->conns = wait->before;
    item->nconns = wait->known ? wait->nbefore : 0;

    wait->watched += item->nconns;
}


/* somebody came or went between the look and the publish */

static void
ngx_ws_mgr_api_wait_merge(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p)
{
    ngx_uint_t                   i, n, nafter;
    ngx_ws_mgr_api_wait_conn_t   conn, *after;

    if (ngx_ws_mgr_api_wait_collect(wait, p, 0, &after, &nafter) != NGX_OK) {
        wait->known = 0;
        return;
    }

    /* there before and after: there at the publish */

    n = 0;

    for (i = 0; i < nafter; i++) {
        if (ngx_ws_mgr_api_wait_has(wait->before, wait->nbefore,
                                    after[i].number))
        {
            conn = after[n];
            after[n++] = after[i];
            after[i] = conn;
        }
    }

    wait->before = after;
    wait->nbefore = ngx_max(n, ngx_min(p->sockets, nafter));
}


static ngx_uint_t
ngx_ws_mgr_api_wait_has(ngx_ws_mgr_api_wait_conn_t *conns, ngx_uint_t n,
    uint64_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (conns[i].number == number) {
            return 1;
        }
    }

    return 0;
}


/* when the event was posted, in ms since 1970; 0: it can not be read */

static uint64_t
ngx_ws_mgr_api_wait_posted(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p)
{
    size_t                   size;
    uint64_t                 ts;
    ngx_int_t                rc;
    ngx_ws_mgr_batch_t      *batch;
    ngx_ws_mgr_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(wait->request,
                                         ngx_http_ws_mgr_module);
    size = 2 * conf->event_size + 4096;

    batch = ngx_palloc(wait->request->pool, sizeof(ngx_ws_mgr_batch_t) + size);
    if (batch == NULL) {
        return 0;
    }

    batch->start = (u_char *) batch + sizeof(ngx_ws_mgr_batch_t);
    batch->last = batch->start;
    batch->end = batch->start + size;

    rc = ngx_ws_mgr_census_read_user(&p->user, p->position.seq - 1, batch,
                                     ngx_ws_mgr_api_wait_any, NULL);

    ts = (rc == NGX_OK && batch->n != 0
          && batch->frames[0].seq == p->position.seq)
         ? batch->frames[0].ts : 0;

    (void) ngx_pfree(wait->request->pool, batch);

    return ts;
}


static ngx_uint_t
ngx_ws_mgr_api_wait_any(ngx_ws_mgr_event_t *event, void *data)
{
    (void) event;
    (void) data;

    return 1;
}


ngx_int_t
ngx_ws_mgr_api_wait_start(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_api_wait_pt done, void *data)
{
    ngx_http_request_t  *r;

    if (ngx_ws_mgr_api_wait_settled(wait)) {
        ngx_ws_mgr_api_wait_cleanup(wait);
        return NGX_OK;
    }

    if (wait->timeout == 0) {
        wait->timed_out = 1;
        ngx_ws_mgr_api_wait_cleanup(wait);
        return NGX_OK;
    }

    wait->done = done;
    wait->data = data;

    r = wait->request;
    r->main->count++;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_add_timer(&wait->timer, wait->timeout);

    return NGX_AGAIN;
}


static ngx_uint_t
ngx_ws_mgr_api_wait_settled(ngx_ws_mgr_api_wait_t *wait)
{
    ngx_uint_t                   i, settled;
    ngx_ws_mgr_api_wait_item_t  *item;

    settled = 1;
    item = wait->items.elts;

    for (i = 0; i < wait->items.nelts; i++) {

        if (!item[i].settled) {
            ngx_ws_mgr_api_wait_look_item(wait, &item[i]);
            settled &= item[i].settled;
        }
    }

    return settled;
}


static void
ngx_ws_mgr_api_wait_look_item(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_api_wait_item_t *item)
{
    ngx_uint_t                   i, confirmed, open, pending;
    ngx_ws_mgr_conn_info_t      *info;
    ngx_ws_mgr_api_wait_conn_t  *conn;

    info = wait->page;
    confirmed = 0;
    open = 0;
    pending = 0;

    for (i = 0; i < item->nconns; i++) {
        conn = &item->conns[i];

        if (conn->state < NGX_WS_MGR_API_WAIT_CONFIRMED) {

            if (ngx_ws_mgr_census_conn_info(conn->number, info) != NGX_OK) {
                conn->state = NGX_WS_MGR_API_WAIT_CLOSED;

            } else if (info->confirmed >= item->seq) {
                conn->state = NGX_WS_MGR_API_WAIT_CONFIRMED;

            } else if (info->sent >= item->seq) {
                conn->state = NGX_WS_MGR_API_WAIT_SENT;
            }
        }

        confirmed += (conn->state == NGX_WS_MGR_API_WAIT_CONFIRMED);
        open += (conn->state != NGX_WS_MGR_API_WAIT_CLOSED);
        pending += (conn->state == NGX_WS_MGR_API_WAIT_PENDING);
    }

    item->settled = wait->confirmed ? (confirmed != 0 || open == 0)
                                    : (pending == 0);
}


/* looks once for all changes of this turn of the event loop */

static void
ngx_ws_mgr_api_wait_changed(ngx_ws_mgr_wait_t *changed)
{
    ngx_ws_mgr_api_wait_t  *wait;

    wait = changed->data;

    if (wait->done != NULL && !wait->look.posted) {
        ngx_post_event(&wait->look, &ngx_posted_events);
    }
}


static void
ngx_ws_mgr_api_wait_look_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_api_wait_t  *wait;

    wait = ev->data;

    if (ngx_ws_mgr_api_wait_settled(wait)) {
        ngx_ws_mgr_api_wait_finish(wait);
    }
}


static void
ngx_ws_mgr_api_wait_timer_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_api_wait_t  *wait;

    wait = ev->data;
    wait->timed_out = !ngx_ws_mgr_api_wait_settled(wait);

    ngx_ws_mgr_api_wait_finish(wait);
}


static void
ngx_ws_mgr_api_wait_finish(ngx_ws_mgr_api_wait_t *wait)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = wait->request;
    c = r->connection;

    ngx_ws_mgr_api_wait_cleanup(wait);

    wait->done(r, wait->data);

    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_mgr_api_wait_cleanup(void *data)
{
    ngx_ws_mgr_api_wait_t  *wait = data;

    ngx_uint_t                    i;
    ngx_ws_mgr_api_wait_user_t  **users;

    users = wait->users.elts;

    for (i = 0; i < wait->users.nelts; i++) {
        ngx_ws_mgr_wait_end(&users[i]->wait);
    }

    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }

    if (wait->look.posted) {
        ngx_delete_posted_event(&wait->look);
    }
}


void
ngx_ws_mgr_api_wait_insert(ngx_ws_mgr_api_wait_t *wait, ngx_ws_mgr_text_t *t)
{
    u_char                      *pos, id[NGX_WS_MGR_CONN_LEN];
    size_t                       len;
    ngx_uint_t                   i, k;
    ngx_ws_mgr_text_t            out;
    ngx_ws_mgr_api_wait_item_t  *item;

    static const char  *states[] = { "pending", "sent", "confirmed",
                                     "closed" };

    ngx_ws_mgr_text_init(&out, t->pool, ngx_ws_mgr_text_len(t));
    item = wait->items.elts;
    pos = t->start;

    for (i = 0; i < wait->items.nelts; i++) {
        ngx_ws_mgr_text_add(&out, pos, t->start + item[i].offset - pos);
        pos = t->start + item[i].offset;

        if (!item[i].known) {
            ngx_ws_mgr_text_put(&out, ",\"connections\":null");
            continue;
        }

        ngx_ws_mgr_text_put(&out, ",\"connections\":[");

        for (k = 0; k < item[i].nconns; k++) {
            len = ngx_ws_mgr_registry_conn_id(id, item[i].conns[k].number)
                  - id;

            ngx_ws_mgr_text_format(&out, sizeof(id) + 64,
                               "%s{\"connection_id\":\"%*s\",\"state\":\"%s\"}",
                               k ? "," : "", len, id,
                               states[item[i].conns[k].state]);
        }

        ngx_ws_mgr_text_put(&out, "]");
    }

    ngx_ws_mgr_text_add(&out, pos, t->last - pos);

    out.failed |= t->failed;
    *t = out;
}


void
ngx_ws_mgr_api_wait_text(ngx_ws_mgr_api_wait_t *wait, ngx_ws_mgr_text_t *t)
{
    ngx_ws_mgr_text_format(t, 64, ",\"wait\":\"%s\",\"timed_out\":%s",
                           wait->confirmed ? "confirmed" : "sent",
                           wait->timed_out ? "true" : "false");
}
