
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_posting_wait.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_user_wait.h>
#include <ngx_ws_mgr_worker_slot.h>


#define NGX_WS_MGR_API_WAIT_USERS  1000    /* of one request */

/* watched for one request */
#define NGX_WS_MGR_API_WAIT_CONNS  NGX_WS_MGR_API_MATCHED_MAX


typedef enum {
    NGX_WS_MGR_API_WAIT_PENDING = 0,
    NGX_WS_MGR_API_WAIT_SENT,
    NGX_WS_MGR_API_WAIT_CONFIRMED,
    NGX_WS_MGR_API_WAIT_CLOSED,
    NGX_WS_MGR_API_WAIT_LOST               /* with the log: nobody knows */
} ngx_ws_mgr_api_wait_state_e;


/* one event for one user */

typedef struct {
    ngx_ws_mgr_api_matched_t      matched;
    ngx_str_t                     user;
    uint64_t                      epoch;
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
    size_t                        event_size;
    ngx_uint_t                    watched; /* connections, in all */
    ngx_msec_t                    timeout;
    ngx_event_t                   timer;
    ngx_event_t                   look;
    ngx_ws_mgr_api_wait_pt        done;
    void                         *data;
    unsigned                      confirmed:1;
    unsigned                      timed_out:1;
};


static ngx_ws_mgr_api_wait_t *ngx_ws_mgr_api_wait_init(
    ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_api_wait_user(ngx_ws_mgr_api_wait_t *wait,
    ngx_str_t *user);
static ngx_uint_t ngx_ws_mgr_api_wait_settled(ngx_ws_mgr_api_wait_t *wait);
static void ngx_ws_mgr_api_wait_look_item(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_api_wait_item_t *item);
static ngx_uint_t ngx_ws_mgr_api_wait_gone(ngx_ws_mgr_api_wait_item_t *item);
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

    if (ngx_ws_mgr_worker_slot_need() != NGX_OK) {
        return NGX_BUSY;
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
    ngx_http_cleanup_t      *cln;
    ngx_ws_mgr_api_wait_t   *wait;
    ngx_ws_mgr_main_conf_t  *conf;

    wait = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_api_wait_t));
    if (wait == NULL) {
        return NULL;
    }

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    wait->request = r;
    wait->event_size = conf->event_size;

    if (ngx_array_init(&wait->items, r->pool, 4,
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
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_api_matched_t *matched)
{
    matched->pool = wait->request->pool;
    matched->event_size = wait->event_size;

    /* the states are looked at after the publish: nothing is missed */

    ngx_ws_mgr_api_matched_before(matched, p);

    if (matched->known
        && ngx_ws_mgr_api_wait_user(wait, &p->user) != NGX_OK)
    {
        matched->known = 0;
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


void
ngx_ws_mgr_api_wait_after(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_text_t *t)
{
    ngx_ws_mgr_api_wait_item_t  *item;

    ngx_ws_mgr_api_matched_after(matched, p);

    /* sockets of other nodes cannot be watched from here */

    if (p->elsewhere || wait->watched + matched->n > NGX_WS_MGR_API_WAIT_CONNS)
    {
        matched->known = 0;
        matched->n = 0;
    }

    item = ngx_array_push(&wait->items);
    if (item == NULL) {
        t->failed = 1;
        return;
    }

    item->matched = *matched;
    item->user = p->user;
    item->epoch = p->position.epoch;
    item->seq = p->position.seq;
    item->offset = ngx_ws_mgr_text_len(t);
    item->settled = !matched->known;

    wait->watched += matched->n;
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
    ngx_ws_mgr_api_conn_t       *conn;
    ngx_ws_mgr_conn_info_t       info;

    confirmed = 0;
    open = 0;
    pending = 0;

    for (i = 0; i < item->matched.n; i++) {
        conn = &item->matched.conns[i];

        if (conn->state < NGX_WS_MGR_API_WAIT_CONFIRMED) {

            if (ngx_ws_mgr_census_conn_info(conn->number, &info) != NGX_OK) {
                conn->state = ngx_ws_mgr_api_wait_gone(item);

            } else if (info.position.epoch != item->epoch) {
                conn->state = NGX_WS_MGR_API_WAIT_LOST;

            } else if (info.confirmed >= item->seq) {
                conn->state = NGX_WS_MGR_API_WAIT_CONFIRMED;

            } else if (info.sent >= item->seq) {
                conn->state = NGX_WS_MGR_API_WAIT_SENT;
            }
        }

        confirmed += (conn->state == NGX_WS_MGR_API_WAIT_CONFIRMED);
        open += (conn->state < NGX_WS_MGR_API_WAIT_CLOSED);
        pending += (conn->state == NGX_WS_MGR_API_WAIT_PENDING);
    }

    item->settled = wait->confirmed ? (confirmed != 0 || open == 0)
                                    : (pending == 0);
}


/* what became of a connection that is not there: closed, or, where its shard
   was made anew, not there yet */

static ngx_uint_t
ngx_ws_mgr_api_wait_gone(ngx_ws_mgr_api_wait_item_t *item)
{
    ngx_ws_mgr_user_info_t  info;

    return ngx_ws_mgr_census_user_info(&item->user, &info) == NGX_OK
           && info.position.epoch == item->epoch
           ? NGX_WS_MGR_API_WAIT_CLOSED : NGX_WS_MGR_API_WAIT_LOST;
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
    ngx_ws_mgr_api_conn_t       *conn;
    ngx_ws_mgr_api_wait_item_t  *item;

    static const char  *states[] = { "pending", "sent", "confirmed",
                                     "closed", "lost" };

    ngx_ws_mgr_text_init(&out, t->pool, ngx_ws_mgr_text_len(t));
    item = wait->items.elts;
    pos = t->start;

    for (i = 0; i < wait->items.nelts; i++) {
        ngx_ws_mgr_text_add(&out, pos, t->start + item[i].offset - pos);
        pos = t->start + item[i].offset;

        if (!item[i].matched.known) {
            ngx_ws_mgr_text_put(&out, ",\"connections\":null");
            continue;
        }

        ngx_ws_mgr_text_put(&out, ",\"connections\":[");

        for (k = 0; k < item[i].matched.n; k++) {
            conn = &item[i].matched.conns[k];
            len = ngx_ws_mgr_registry_conn_id(id, conn->number) - id;

            ngx_ws_mgr_text_format(&out, sizeof(id) + 64,
                               "%s{\"connection_id\":\"%*s\",\"state\":\"%s\"}",
                               k ? "," : "", len, id,
                               states[conn->state]);
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
