
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_forward.h>
#include <ngx_ws_mgr_forward_answer.h>
#include <ngx_ws_mgr_internal_post.h>
#include <ngx_ws_mgr_client_message.h>


/* behind the client */

typedef struct {
    ngx_ws_mgr_forward_queue_t  *queue;    /* NULL: nothing waits */
    size_t                       permissions_len;
    u_char                       permissions[1];   /* space separated */
} ngx_ws_mgr_forward_t;


static ngx_ws_mgr_forward_queue_t *ngx_ws_mgr_forward_queue(
    ngx_ws_mgr_client_t *client, ngx_ws_mgr_forward_t *forward);
static ngx_ws_mgr_forward_item_t *ngx_ws_mgr_forward_item(
    ngx_ws_mgr_client_t *client, ngx_str_t *payload, ngx_str_t *ref);
static void ngx_ws_mgr_forward_next(ngx_event_t *ev);
static ngx_int_t ngx_ws_mgr_forward_post(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_forward_item_t *item);
static void ngx_ws_mgr_forward_header(ngx_ws_mgr_inner_t *post,
    const ngx_ws_mgr_inner_header_t *header, ngx_str_t *value);
static void ngx_ws_mgr_forward_done(void *data,
    ngx_ws_mgr_inner_answer_t *answer);
static void ngx_ws_mgr_forward_free(ngx_ws_mgr_forward_queue_t *queue);


/* of all connections of this worker */
static size_t  ngx_ws_mgr_forward_bytes;


static const ngx_ws_mgr_inner_header_t  ngx_ws_mgr_forward_user = {
    ngx_string("X-WS-User"), ngx_string("x-ws-user"), ngx_null_string
};

static const ngx_ws_mgr_inner_header_t  ngx_ws_mgr_forward_connection = {
    ngx_string("X-WS-Connection"), ngx_string("x-ws-connection"),
    ngx_null_string
};

static const ngx_ws_mgr_inner_header_t  ngx_ws_mgr_forward_thread = {
    ngx_string("X-WS-Thread"), ngx_string("x-ws-thread"), ngx_null_string
};

static const ngx_ws_mgr_inner_header_t  ngx_ws_mgr_forward_permissions = {
    ngx_string("X-WS-Permissions"), ngx_string("x-ws-permissions"),
    ngx_null_string
};


static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_forward_busy = {
    "forward_busy", "too many messages wait for the agent backend, this one "
    "was thrown away"
};


#define ngx_ws_mgr_forward_of(client)                                         \
    ((ngx_ws_mgr_forward_t *)                                                 \
     ((u_char *) (client)                                                     \
      + ngx_align(ngx_ws_mgr_fanout_client_size(), NGX_ALIGNMENT)))


size_t
ngx_ws_mgr_forward_size(ngx_str_t *permissions)
{
    return NGX_ALIGNMENT + sizeof(ngx_ws_mgr_forward_t) + permissions->len;
}


void
ngx_ws_mgr_forward_init(ngx_ws_mgr_client_t *client, ngx_str_t *permissions)
{
    ngx_ws_mgr_forward_t  *forward;

    forward = ngx_ws_mgr_forward_of(client);

    forward->permissions_len = permissions->len;
    ngx_memcpy(forward->permissions, permissions->data, permissions->len);
}


void
ngx_ws_mgr_forward_message(ngx_ws_mgr_client_t *client, ngx_uint_t opcode,
    ngx_str_t *payload, ngx_str_t *ref)
{
    size_t                       worker;
    ngx_ws_mgr_forward_t        *forward;
    ngx_ws_mgr_forward_item_t   *item;
    ngx_ws_mgr_forward_queue_t  *queue;

    forward = ngx_ws_mgr_forward_of(client);
    queue = forward->queue;
    worker = ngx_ws_mgr_forward_bytes;

    if ((queue && (queue->n == NGX_WS_MGR_FORWARD_MESSAGES
                   || queue->bytes + payload->len > NGX_WS_MGR_FORWARD_BYTES))
        || (worker && worker + payload->len > NGX_WS_MGR_FORWARD_WORKER_BYTES))
    {
        ngx_ws_mgr_discard(FORWARD_BUSY);
        ngx_ws_mgr_message_error(client, &ngx_ws_mgr_forward_busy, ref);
        return;
    }

    item = ngx_ws_mgr_forward_item(client, payload, ref);

    if (item && queue == NULL) {
        queue = ngx_ws_mgr_forward_queue(client, forward);
    }

    if (item == NULL || queue == NULL) {

        if (item) {
            ngx_free(item);
        }

        ngx_ws_mgr_discard(FORWARD_BUSY);
        ngx_ws_mgr_message_error(client, &ngx_ws_mgr_forward_busy, ref);
        return;
    }

    item->binary = (opcode == NGX_WS_MGR_OP_BINARY);

    ngx_queue_insert_tail(&queue->items, &item->queue);
    queue->n++;
    queue->bytes += payload->len;
    ngx_ws_mgr_forward_bytes += payload->len;

    if (queue->n == 1) {
        ngx_post_event(&queue->event, &ngx_posted_events);
    }
}


void
ngx_ws_mgr_forward_leave(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_forward_t  *forward;

    forward = ngx_ws_mgr_forward_of(client);

    if (forward->queue) {
        forward->queue->client = NULL;
        forward->queue = NULL;
    }
}


static ngx_ws_mgr_forward_queue_t *
ngx_ws_mgr_forward_queue(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_forward_t *forward)
{
    u_char                      *p;
    ngx_connection_t            *c;
    ngx_ws_mgr_who_t             who;
    ngx_ws_mgr_forward_queue_t  *queue;

    c = client->session.connection;

    ngx_ws_mgr_registry_who(&client->place, &who);

    queue = ngx_alloc(sizeof(ngx_ws_mgr_forward_queue_t) + c->socklen
                      + who.user_len + NGX_WS_MGR_CONN_LEN
                      + forward->permissions_len, c->log);
    if (queue == NULL) {
        return NULL;
    }

    ngx_memzero(queue, sizeof(ngx_ws_mgr_forward_queue_t));
    ngx_queue_init(&queue->items);

    queue->client = client;
    queue->conf = ngx_ws_mgr_conf_of_session(client->session.conf);
    queue->number = who.number;

    queue->event.handler = ngx_ws_mgr_forward_next;
    queue->event.data = queue;
    queue->event.log = ngx_cycle->log;

    p = (u_char *) (queue + 1);

    queue->sockaddr = (struct sockaddr *) p;
    queue->socklen = c->socklen;
    queue->listening = c->listening;
    p = ngx_cpymem(p, c->sockaddr, c->socklen);

    queue->user.data = p;
    queue->user.len = who.user_len;
    p = ngx_cpymem(p, who.user, who.user_len);

    queue->connection.data = p;
    p = ngx_ws_mgr_registry_conn_id(p, who.number);
    queue->connection.len = p - queue->connection.data;

    queue->permissions.data = p;
    queue->permissions.len = forward->permissions_len;
    ngx_memcpy(p, forward->permissions, forward->permissions_len);

    forward->queue = queue;

    return queue;
}


/* the thread is the one that is shown now; it may have any characters, those
   that a header field may not have are percent-encoded */

static ngx_ws_mgr_forward_item_t *
ngx_ws_mgr_forward_item(ngx_ws_mgr_client_t *client, ngx_str_t *payload,
    ngx_str_t *ref)
{
    u_char                     *p, *thread, ch;
    size_t                      i, len;
    ngx_ws_mgr_who_t            who;
    ngx_ws_mgr_forward_item_t  *item;

    ngx_ws_mgr_registry_who(&client->place, &who);

    thread = who.thread ? who.thread + 1 : NULL;
    len = who.thread ? *who.thread : 0;

    item = ngx_alloc(sizeof(ngx_ws_mgr_forward_item_t) + payload->len
                     + ref->len + 3 * len, client->session.connection->log);
    if (item == NULL) {
        return NULL;
    }

    p = (u_char *) (item + 1);

    item->payload.data = p;
    item->payload.len = payload->len;
    p = ngx_cpymem(p, payload->data, payload->len);

    item->ref.data = p;
    item->ref.len = ref->len;
    p = ngx_cpymem(p, ref->data, ref->len);

    item->thread.data = p;

    for (i = 0; i < len; i++) {
        ch = thread[i];

        if (ch < ' ' || ch == 0x7f || ch == '%') {
            p = ngx_sprintf(p, "%%%02Xd", (ngx_uint_t) ch);

        } else {
            *p++ = ch;
        }
    }

    item->thread.len = p - item->thread.data;

    return item;
}


static void
ngx_ws_mgr_forward_next(ngx_event_t *ev)
{
    ngx_ws_mgr_forward_queue_t *queue = ev->data;

    ngx_ws_mgr_forward_item_t  *item;
    ngx_ws_mgr_inner_answer_t   none;

    item = ngx_queue_data(ngx_queue_head(&queue->items),
                          ngx_ws_mgr_forward_item_t, queue);

    if (ngx_ws_mgr_forward_post(queue, item) != NGX_OK) {
        ngx_memzero(&none, sizeof(ngx_ws_mgr_inner_answer_t));
        ngx_ws_mgr_forward_done(queue, &none);
    }
}


static ngx_int_t
ngx_ws_mgr_forward_post(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_forward_item_t *item)
{
    ngx_ws_mgr_inner_t      post;
    ngx_ws_mgr_loc_conf_t  *conf;

    ngx_memzero(&post, sizeof(ngx_ws_mgr_inner_t));

    conf = queue->conf;

    post.conf.main_conf = conf->main_ctx;
    post.conf.srv_conf = conf->srv_ctx;
    post.conf.loc_conf = conf->loc_ctx;

    post.uri = conf->forward_to.uri;
    post.args = conf->forward_to.args;

    post.sockaddr = queue->sockaddr;
    post.socklen = queue->socklen;
    post.listening = queue->listening;

    if (item->binary) {
        ngx_str_set(&post.type, "application/octet-stream");

    } else {
        ngx_str_set(&post.type, "application/json");
    }

    post.body = item->payload;

    ngx_ws_mgr_forward_header(&post, &ngx_ws_mgr_forward_user, &queue->user);
    ngx_ws_mgr_forward_header(&post, &ngx_ws_mgr_forward_connection,
                              &queue->connection);
    ngx_ws_mgr_forward_header(&post, &ngx_ws_mgr_forward_thread,
                              &item->thread);
    ngx_ws_mgr_forward_header(&post, &ngx_ws_mgr_forward_permissions,
                              &queue->permissions);

    post.done = ngx_ws_mgr_forward_done;
    post.data = queue;

    return ngx_ws_mgr_inner_post(&post);
}


static void
ngx_ws_mgr_forward_header(ngx_ws_mgr_inner_t *post,
    const ngx_ws_mgr_inner_header_t *header, ngx_str_t *value)
{
    ngx_ws_mgr_inner_header_t  *h;

    if (value->len == 0) {
        return;
    }

    h = &post->headers[post->nheaders++];

    *h = *header;
    h->value = *value;
}


/* the head of the queue has its answer; what is next goes from an event, for
   the answer may have come at once */

static void
ngx_ws_mgr_forward_done(void *data, ngx_ws_mgr_inner_answer_t *answer)
{
    ngx_ws_mgr_forward_queue_t *queue = data;

    ngx_ws_mgr_forward_item_t  *item;

    item = ngx_queue_data(ngx_queue_head(&queue->items),
                          ngx_ws_mgr_forward_item_t, queue);

    ngx_queue_remove(&item->queue);
    queue->n--;
    queue->bytes -= item->payload.len;
    ngx_ws_mgr_forward_bytes -= item->payload.len;

    ngx_ws_mgr_forward_answer(queue, item, answer);

    ngx_free(item);

    if (queue->n) {
        ngx_post_event(&queue->event, &ngx_posted_events);

    } else {
        ngx_ws_mgr_forward_free(queue);
    }
}


static void
ngx_ws_mgr_forward_free(ngx_ws_mgr_forward_queue_t *queue)
{
    if (queue->client) {
        ngx_ws_mgr_forward_of(queue->client)->queue = NULL;
    }

    ngx_free(queue);
}
