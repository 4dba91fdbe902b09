
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_internal_post.h>
#include <ngx_ws_mgr_notify.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_NOTIFY_LANES  16        /* posts at a time */
#define NGX_WS_MGR_NOTIFY_POOL   2048      /* bytes, of one notice */
#define NGX_WS_MGR_NOTIFY_AGAIN  100       /* ms before the second try; it
                                              doubles, to at most */
#define NGX_WS_MGR_NOTIFY_MOST   10000


/* notices of the connections that fall here, one after the other */

typedef struct {
    ngx_queue_t           items;           /* next NULL: not used yet */
    ngx_event_t           event;           /* goes on, at once or later */
    ngx_uint_t            tries;           /* of the head, that failed */
} ngx_ws_mgr_notify_lane_t;


/* lives in its own pool */

typedef struct {
    ngx_queue_t           queue;
    ngx_pool_t           *pool;
    ngx_msec_t            drain;
    ngx_ws_mgr_inner_t    post;
} ngx_ws_mgr_notify_item_t;


static void ngx_ws_mgr_notify_add(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place, ngx_uint_t disconnect);
static ngx_ws_mgr_notify_item_t *ngx_ws_mgr_notify_item(
    ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place, ngx_uint_t disconnect);
static ngx_int_t ngx_ws_mgr_notify_body(ngx_ws_mgr_notify_item_t *item,
    ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place, ngx_uint_t disconnect);
static ngx_int_t ngx_ws_mgr_notify_from(ngx_ws_mgr_notify_item_t *item,
    ngx_connection_t *c);
static ngx_ws_mgr_notify_lane_t *ngx_ws_mgr_notify_lane(uint64_t number);
static void ngx_ws_mgr_notify_next(ngx_event_t *ev);
static void ngx_ws_mgr_notify_done(void *data,
    ngx_ws_mgr_inner_answer_t *answer);
static void ngx_ws_mgr_notify_again(ngx_ws_mgr_notify_lane_t *lane);
static ngx_uint_t ngx_ws_mgr_notify_given_up(ngx_ws_mgr_notify_lane_t *lane);
static void ngx_ws_mgr_notify_remove(ngx_ws_mgr_notify_lane_t *lane);


static ngx_ws_mgr_notify_lane_t  ngx_ws_mgr_notify_lanes[
                                                     NGX_WS_MGR_NOTIFY_LANES];
static ngx_uint_t  ngx_ws_mgr_notify_waiting;
static ngx_msec_t  ngx_ws_mgr_notify_leaving;      /* 0: it is not */


void
ngx_ws_mgr_notify_connect(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_notify_add(s, place, 0);
}


void
ngx_ws_mgr_notify_disconnect(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place)
{
    ngx_ws_mgr_notify_add(s, place, 1);
}


void
ngx_ws_mgr_notify_exit(ngx_log_t *log)
{
    if (ngx_ws_mgr_notify_waiting == 0) {
        return;
    }

    ngx_ws_mgr_discard_add(NOTICES_DROPPED, ngx_ws_mgr_notify_waiting);

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "ws_mgr_notify: %ui notices were not taken until this "
                  "worker had to go", ngx_ws_mgr_notify_waiting);
}


static void
ngx_ws_mgr_notify_add(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place, ngx_uint_t disconnect)
{
    ngx_ws_mgr_notify_lane_t  *lane;
    ngx_ws_mgr_notify_item_t  *item;

    if (ngx_ws_mgr_conf_of_session(s->conf)->notify.uri.len == 0) {
        return;
    }

    item = (ngx_ws_mgr_notify_waiting < NGX_WS_MGR_NOTIFY_WAITING)
           ? ngx_ws_mgr_notify_item(s, place, disconnect) : NULL;

    if (item == NULL) {
        ngx_ws_mgr_discard(NOTICES_DROPPED);
        ngx_log_error(NGX_LOG_ERR,
                      ngx_ws_mgr_session_log(s, "notifying of websocket"), 0,
                      "ws_mgr_notify: a notice was thrown away, %ui wait",
                      ngx_ws_mgr_notify_waiting);
        return;
    }

    lane = ngx_ws_mgr_notify_lane(place->number);
    item->post.data = lane;

    if (ngx_queue_empty(&lane->items)) {
        ngx_post_event(&lane->event, &ngx_posted_events);
    }

    ngx_queue_insert_tail(&lane->items, &item->queue);
    ngx_ws_mgr_notify_waiting++;
}


static ngx_ws_mgr_notify_item_t *
ngx_ws_mgr_notify_item(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place, ngx_uint_t disconnect)
{
    ngx_pool_t                *pool;
    ngx_ws_mgr_inner_t        *post;
    ngx_ws_mgr_loc_conf_t     *conf;
    ngx_ws_mgr_notify_item_t  *item;

    pool = ngx_create_pool(NGX_WS_MGR_NOTIFY_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    item = ngx_pcalloc(pool, sizeof(ngx_ws_mgr_notify_item_t));
    if (item == NULL) {
        goto failed;
    }

    conf = ngx_ws_mgr_conf_of_session(s->conf);
    post = &item->post;

    item->pool = pool;
    item->drain = s->conf->drain;

    post->conf.main_conf = conf->main_ctx;
    post->conf.srv_conf = conf->srv_ctx;
    post->conf.loc_conf = conf->loc_ctx;
    post->uri = conf->notify.uri;
    post->args = conf->notify.args;
    post->done = ngx_ws_mgr_notify_done;
    ngx_str_set(&post->type, "application/json");

    if (ngx_ws_mgr_notify_body(item, s, place, disconnect)
        != NGX_OK
        || ngx_ws_mgr_notify_from(item, s->connection) != NGX_OK)
    {
        goto failed;
    }

    return item;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_ws_mgr_notify_body(ngx_ws_mgr_notify_item_t *item,
    ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_place_t *place, ngx_uint_t disconnect)
{
    ngx_str_t          user, connection;
    ngx_msec_t         lasted;
    ngx_ws_mgr_who_t   who;
    ngx_ws_mgr_text_t  t;
    u_char             id[NGX_WS_MGR_CONN_LEN];

    ngx_ws_mgr_registry_who(place, &who);

    user.data = who.user;
    user.len = who.user_len;

    connection.data = id;
    connection.len = ngx_ws_mgr_registry_conn_id(id, who.number) - id;

    ngx_ws_mgr_text_init(&t, item->pool, 512);

    ngx_ws_mgr_text_format(&t, 32, "{\"type\":\"%s\",\"user_id\":",
                           disconnect ? "disconnect" : "connect");
    ngx_ws_mgr_text_string(&t, &user);
    ngx_ws_mgr_text_put(&t, ",\"connection_id\":");
    ngx_ws_mgr_text_string(&t, &connection);
    ngx_ws_mgr_text_put(&t, ",\"ts\":");
    ngx_ws_mgr_text_number(&t, ngx_ws_mgr_now());

    if (disconnect) {
        lasted = ngx_current_msec - s->started;

        ngx_ws_mgr_text_format(&t, 128,
                               ",\"code\":%ui,\"by\":\"%s\","
                               "\"seconds\":%M.%03M",
                               ngx_ws_mgr_session_code(s),
                               ngx_ws_mgr_session_sides[s->side],
                               lasted / 1000, lasted % 1000);
    }

    ngx_ws_mgr_text_put(&t, "}");

    item->post.body.data = t.start;
    item->post.body.len = ngx_ws_mgr_text_len(&t);

    return t.failed ? NGX_ERROR : NGX_OK;
}


/* the connection will be gone by then */

static ngx_int_t
ngx_ws_mgr_notify_from(ngx_ws_mgr_notify_item_t *item, ngx_connection_t *c)
{
    ngx_ws_mgr_inner_t  *post;

    post = &item->post;

    post->listening = c->listening;
    post->socklen = c->socklen;
    post->sockaddr = ngx_palloc(item->pool, c->socklen);

    if (post->sockaddr == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(post->sockaddr, c->sockaddr, c->socklen);

    return NGX_OK;
}


static ngx_ws_mgr_notify_lane_t *
ngx_ws_mgr_notify_lane(uint64_t number)
{
    ngx_ws_mgr_notify_lane_t  *lane;

    lane = &ngx_ws_mgr_notify_lanes[number % NGX_WS_MGR_NOTIFY_LANES];

    if (lane->items.next == NULL) {
        ngx_queue_init(&lane->items);

        lane->event.handler = ngx_ws_mgr_notify_next;
        lane->event.data = lane;
        lane->event.log = ngx_cycle->log;
    }

    return lane;
}


static void
ngx_ws_mgr_notify_next(ngx_event_t *ev)
{
    ngx_ws_mgr_notify_lane_t *lane = ev->data;

    ngx_ws_mgr_notify_item_t  *item;

    item = ngx_queue_data(ngx_queue_head(&lane->items),
                          ngx_ws_mgr_notify_item_t, queue);

    if (ngx_ws_mgr_inner_post(&item->post) != NGX_OK) {
        ngx_ws_mgr_notify_again(lane);
    }
}


static void
ngx_ws_mgr_notify_done(void *data, ngx_ws_mgr_inner_answer_t *answer)
{
    ngx_ws_mgr_notify_lane_t *lane = data;

    if (answer->status < NGX_HTTP_OK
        || answer->status >= NGX_HTTP_SPECIAL_RESPONSE)
    {
        ngx_ws_mgr_notify_again(lane);
        return;
    }

    ngx_ws_mgr_count(NOTICES_TAKEN);

    ngx_ws_mgr_notify_remove(lane);

    if (!ngx_queue_empty(&lane->items)) {
        ngx_post_event(&lane->event, &ngx_posted_events);
    }
}


/* with jitter */

static void
ngx_ws_mgr_notify_again(ngx_ws_mgr_notify_lane_t *lane)
{
    ngx_msec_t  most, pause;

    ngx_ws_mgr_count(NOTICES_FAILED);

    most = NGX_WS_MGR_NOTIFY_MOST;

    if (ngx_exiting) {

        if (ngx_ws_mgr_notify_given_up(lane)) {
            /* what waits is told by ngx_ws_mgr_notify_exit() */
            return;
        }

        most = NGX_WS_MGR_NOTIFY_AGAIN;
    }

    pause = (ngx_msec_t) NGX_WS_MGR_NOTIFY_AGAIN << ngx_min(lane->tries, 10);
    pause = ngx_min(pause, most);

    lane->tries++;

    ngx_add_timer(&lane->event, NGX_WS_MGR_NOTIFY_AGAIN / 2
                                + (ngx_msec_t) ngx_random() % pause);
}


/* a worker that goes away waits for the timers, but not for ever */

static ngx_uint_t
ngx_ws_mgr_notify_given_up(ngx_ws_mgr_notify_lane_t *lane)
{
    ngx_ws_mgr_notify_item_t  *item;

    if (ngx_ws_mgr_notify_leaving == 0) {
        ngx_ws_mgr_notify_leaving = ngx_current_msec;
    }

    item = ngx_queue_data(ngx_queue_head(&lane->items),
                          ngx_ws_mgr_notify_item_t, queue);

    return ngx_current_msec - ngx_ws_mgr_notify_leaving >= item->drain;
}


static void
ngx_ws_mgr_notify_remove(ngx_ws_mgr_notify_lane_t *lane)
{
    ngx_ws_mgr_notify_item_t  *item;

    item = ngx_queue_data(ngx_queue_head(&lane->items),
                          ngx_ws_mgr_notify_item_t, queue);

    ngx_queue_remove(&item->queue);
    ngx_destroy_pool(item->pool);

    ngx_ws_mgr_notify_waiting--;
    lane->tries = 0;
}
