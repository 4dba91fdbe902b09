
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The engine in Redis: its servers are started, subscribed, probed and ended
 * here, and a kick is sent to the nodes.  A server has two connections in each
 * worker, for commands and for the channel of the worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_io.h>
#include <ngx_ws_mgr_registry.h>


#define NGX_WS_MGR_ENGINE_TICK  1000       /* ms */


static ngx_int_t ngx_ws_mgr_engine_start(ngx_ws_mgr_engine_server_t *server,
    ngx_ws_mgr_redis_t *first, ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_mgr_engine_names(ngx_cycle_t *cycle);
static void ngx_ws_mgr_engine_ready(void *data);
static void ngx_ws_mgr_engine_channel_ready(void *data);
static void ngx_ws_mgr_engine_subscribe(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_engine_subscribed(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_engine_probe(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_engine_ask_instance(
    ngx_ws_mgr_engine_server_t *server);
static void ngx_ws_mgr_engine_instance(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_engine_tick(ngx_event_t *ev);
static void ngx_ws_mgr_engine_redis_look(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *user);
static void ngx_ws_mgr_engine_redis_kick_user(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *user, ngx_uint_t code);
static void ngx_ws_mgr_engine_redis_kick_conn(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *id, ngx_uint_t code);
static void ngx_ws_mgr_engine_kicked(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_engine_redis_cancel(ngx_ws_mgr_engine_op_t *op);


static ngx_str_t    ngx_ws_mgr_engine_everyone = ngx_string("*");
static ngx_event_t  ngx_ws_mgr_engine_ticker;
static u_char       ngx_ws_mgr_engine_field_data[NGX_WS_MGR_ENGINE_FIELD];

/* what debug lines of timers show as descriptor */
static ngx_connection_t  ngx_ws_mgr_engine_nobody = { .fd = (ngx_socket_t) -1 };


static const ngx_ws_mgr_engine_t  ngx_ws_mgr_engine_redis = {
    "redis",
    ngx_ws_mgr_engine_redis_publish,
    ngx_ws_mgr_engine_redis_enter,
    ngx_ws_mgr_engine_redis_leave,
    ngx_ws_mgr_engine_redis_reach,
    ngx_ws_mgr_engine_redis_look,
    ngx_ws_mgr_engine_redis_watch,
    ngx_ws_mgr_engine_redis_unwatch,
    ngx_ws_mgr_engine_redis_kick_user,
    ngx_ws_mgr_engine_redis_kick_conn,
    ngx_ws_mgr_engine_redis_lost,
    ngx_ws_mgr_engine_redis_cancel
};


ngx_int_t
ngx_ws_mgr_engine_redis_init(ngx_ws_mgr_engine_redis_conf_t *conf,
    ngx_ws_mgr_redis_t *first, ngx_cycle_t *cycle)
{
    ngx_uint_t                 i;
    ngx_ws_mgr_redis_conf_t  **servers;

    ngx_ws_mgr_engine_conf = conf;
    ngx_ws_mgr_engine_nservers = conf->servers->nelts;
    ngx_ws_mgr_engine_servers = ngx_pcalloc(cycle->pool,
                                        ngx_ws_mgr_engine_nservers
                                        * sizeof(ngx_ws_mgr_engine_server_t));

    if (ngx_ws_mgr_engine_servers == NULL
        || ngx_ws_mgr_engine_names(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_ws_mgr_engine_script_init();
    ngx_ws_mgr_engine_follow_init();

    servers = conf->servers->elts;

    for (i = 0; i < ngx_ws_mgr_engine_nservers; i++) {
        ngx_ws_mgr_engine_servers[i].conf = servers[i];

        if (ngx_ws_mgr_engine_start(&ngx_ws_mgr_engine_servers[i],
                                    i ? NULL : first, cycle)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_ws_mgr_engine_ticker.handler = ngx_ws_mgr_engine_tick;
    ngx_ws_mgr_engine_ticker.data = &ngx_ws_mgr_engine_nobody;
    ngx_ws_mgr_engine_ticker.log = cycle->log;
    ngx_ws_mgr_engine_ticker.cancelable = 1;

    ngx_add_timer(&ngx_ws_mgr_engine_ticker, NGX_WS_MGR_ENGINE_TICK);

    ngx_ws_mgr_engine = &ngx_ws_mgr_engine_redis;

    /* the broadcast log is read by any socket */

    return ngx_ws_mgr_registry_conf->broadcast
           ? ngx_ws_mgr_engine_follow_keep(&ngx_ws_mgr_engine_everyone)
           : NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_engine_names(ngx_cycle_t *cycle)
{
    u_char     *p;
    ngx_str_t  *channel;

    p = ngx_ws_mgr_engine_field_data;

    ngx_ws_mgr_engine_field.data = p;
    p = ngx_cpymem(p, ngx_ws_mgr_node->name, NGX_WS_MGR_NODE_LEN);

    /* a kick of another node finds the channel by the slot, which stands in
       the id of the connection */

    p = (ngx_ws_mgr_slot != NGX_WS_MGR_NO_SLOT)
        ? ngx_sprintf(p, ".%ui", ngx_ws_mgr_slot)
        : ngx_sprintf(p, ".p%P", ngx_pid);
    ngx_ws_mgr_engine_field.len = p - ngx_ws_mgr_engine_field.data;

    channel = &ngx_ws_mgr_engine_channel;

    p = ngx_pnalloc(cycle->pool, ngx_ws_mgr_engine_conf->prefix.len
                                 + sizeof("worker:") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    channel->data = p;
    channel->len = ngx_sprintf(p, "%Vworker:", &ngx_ws_mgr_engine_conf->prefix)
                   - p;
    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_engine_start(ngx_ws_mgr_engine_server_t *server,
    ngx_ws_mgr_redis_t *first, ngx_cycle_t *cycle)
{
    ngx_str_t  *name;

    ngx_queue_init(&server->follows);
    ngx_queue_init(&server->stale);

    server->subscribe.done = ngx_ws_mgr_engine_subscribed;
    server->subscribe.data = server;
    server->subscribe.timeout = server->conf->timeout;

    server->instance.done = ngx_ws_mgr_engine_instance;
    server->instance.data = server;
    server->instance.script = &ngx_ws_mgr_engine_script_instance;
    server->instance.timeout = server->conf->timeout;

    server->channel_conf = *server->conf;
    name = &server->channel_conf.name;

    name->data = ngx_pnalloc(cycle->pool, server->conf->name.len
                                          + sizeof(", channel") - 1);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    name->len = ngx_sprintf(name->data, "%V, channel", &server->conf->name)
                - name->data;

    server->commands = first ? first
                             : ngx_ws_mgr_redis_create(server->conf,
                                            ngx_ws_mgr_engine_probe, cycle);
    server->channel = ngx_ws_mgr_redis_create(&server->channel_conf,
                                              ngx_ws_mgr_engine_probe, cycle);

    if (server->commands == NULL || server->channel == NULL) {
        return NGX_ERROR;
    }

    ngx_ws_mgr_redis_listen(server->commands, ngx_ws_mgr_engine_ready, NULL,
                            server);
    ngx_ws_mgr_redis_listen(server->channel, ngx_ws_mgr_engine_channel_ready,
                            ngx_ws_mgr_engine_hear, server);
    return NGX_OK;
}


void
ngx_ws_mgr_engine_redis_exit(void)
{
    ngx_uint_t  i;

    if (ngx_ws_mgr_engine == NULL) {
        return;
    }

    ngx_ws_mgr_engine = NULL;

    for (i = 0; i < ngx_ws_mgr_engine_nservers; i++) {
        ngx_ws_mgr_engine_follow_exit(&ngx_ws_mgr_engine_servers[i]);
    }
}


static void
ngx_ws_mgr_engine_ready(void *data)
{
    ngx_ws_mgr_engine_follow_all(data);
}


static void
ngx_ws_mgr_engine_channel_ready(void *data)
{
    ngx_ws_mgr_engine_server_t *server = data;

    ngx_ws_mgr_engine_subscribe(server->channel);
}


static void
ngx_ws_mgr_engine_subscribe(ngx_ws_mgr_redis_t *redis)
{
    u_char                      *p;
    ngx_str_t                    args[2];
    ngx_ws_mgr_engine_server_t  *server;
    u_char                       text[NGX_WS_MGR_ENGINE_KEY];

    for (server = ngx_ws_mgr_engine_servers;
         server->channel != redis;
         server++) { /* void */ }

    if (server->subscribe.slot) {
        return;
    }

    server->subscribed = 0;

    ngx_str_set(&args[0], "SUBSCRIBE");

    p = ngx_sprintf(text, "%V%V", &ngx_ws_mgr_engine_channel,
                    &ngx_ws_mgr_engine_field);
    args[1].data = text;
    args[1].len = p - text;

    (void) ngx_ws_mgr_redis_call(redis, &server->subscribe, args, 2);
}


static void
ngx_ws_mgr_engine_subscribed(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_ws_mgr_engine_server_t *server = call->data;

    if (reply == NULL) {
        return;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        ngx_ws_mgr_redis_blame(server->channel, reply);
        return;
    }

    ngx_ws_mgr_redis_well(server->channel);
    server->subscribed = 1;

    ngx_ws_mgr_engine_follow_all(server);
}


/* of both connections of a server */

static void
ngx_ws_mgr_engine_probe(ngx_ws_mgr_redis_t *redis)
{
    ngx_uint_t                   i;
    ngx_ws_mgr_engine_server_t  *server;

    for (i = 0; i < ngx_ws_mgr_engine_nservers; i++) {
        server = &ngx_ws_mgr_engine_servers[i];

        if (server->commands == redis) {
            ngx_ws_mgr_engine_ask_instance(server);
            return;
        }
    }

    ngx_ws_mgr_engine_subscribe(redis);
}


static void
ngx_ws_mgr_engine_ask_instance(ngx_ws_mgr_engine_server_t *server)
{
    ngx_str_t  args[3];
    u_char     text[2][NGX_WS_MGR_ENGINE_KEY];

    if (server->instance.slot) {
        return;
    }

    ngx_str_set(&args[0], "2");

    args[1].data = text[0];
    args[1].len = ngx_sprintf(text[0], "%V{instance}:id",
                              &ngx_ws_mgr_engine_conf->prefix)
                  - text[0];

    args[2].data = text[1];
    args[2].len = ngx_sprintf(text[1], "%V{instance}:probe",
                              &ngx_ws_mgr_engine_conf->prefix)
                  - text[1];

    (void) ngx_ws_mgr_redis_call(server->commands, &server->instance, args, 3);
}


/* other data than before is other logs: all are looked at */

static void
ngx_ws_mgr_engine_instance(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_uint_t                   changed;
    ngx_ws_mgr_engine_server_t  *server = call->data;

    if (reply == NULL) {
        return;
    }

    if (reply->type != REDIS_REPLY_STRING
        || (size_t) reply->len > sizeof(server->id))
    {
        ngx_ws_mgr_redis_blame(server->commands, reply);
        return;
    }

    ngx_ws_mgr_redis_well(server->commands);

    changed = server->nid
              && (server->nid != (size_t) reply->len
                  || ngx_memcmp(server->id, reply->str, reply->len) != 0);

    server->nid = reply->len;
    ngx_memcpy(server->id, reply->str, reply->len);

    if (changed) {
        ngx_ws_mgr_engine_follow_all(server);
    }
}


static void
ngx_ws_mgr_engine_tick(ngx_event_t *ev)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_ws_mgr_engine_nservers; i++) {
        ngx_ws_mgr_engine_ask_instance(&ngx_ws_mgr_engine_servers[i]);
        ngx_ws_mgr_engine_follow_audit(&ngx_ws_mgr_engine_servers[i]);
    }

    ngx_add_timer(ev, NGX_WS_MGR_ENGINE_TICK);
}


static void
ngx_ws_mgr_engine_redis_look(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user)
{
    ngx_ws_mgr_engine_follow_load(op, user);
    ngx_ws_mgr_engine_ask_nodes(op, user, NULL);
}


static void
ngx_ws_mgr_engine_redis_kick_user(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user,
    ngx_uint_t code)
{
    ngx_str_t  text;
    u_char     data[2 + NGX_INT_T_LEN + 1 + 255];

    text.data = data;
    text.len = ngx_sprintf(data, "%c %ui\n%V", NGX_WS_MGR_TELL_KICK, code, user)
               - data;

    ngx_ws_mgr_engine_ask_nodes(op, user, &text);
}


/* "<node>-<number>": the slot of its worker is in front of the number, which
   tells the channel */

static void
ngx_ws_mgr_engine_redis_kick_conn(ngx_ws_mgr_engine_op_t *op, ngx_str_t *id,
    ngx_uint_t code)
{
    ngx_str_t                    node, args[3];
    ngx_int_t                    slot;
    ngx_ws_mgr_engine_item_t    *item;
    ngx_ws_mgr_engine_server_t  *server;
    u_char                       channel[NGX_WS_MGR_ENGINE_KEY];
    u_char                       text[64 + NGX_WS_MGR_CONN_LEN];

    item = ngx_ws_mgr_engine_item(op, sizeof(ngx_ws_mgr_engine_item_t));
    if (item == NULL) {
        return;
    }

    node.data = id->data;
    node.len = NGX_WS_MGR_NODE_LEN;
    slot = (id->len == NGX_WS_MGR_CONN_LEN)
           ? ngx_hextoi(id->data + NGX_WS_MGR_NODE_LEN + 1, 4) : NGX_ERROR;

    if (slot == NGX_ERROR || slot == 0) {
        ngx_ws_mgr_engine_unasked(item);
        return;
    }

    server = ngx_ws_mgr_engine_server(&node);

    item->call.done = ngx_ws_mgr_engine_kicked;
    item->call.timeout = server->conf->timeout;

    ngx_str_set(&args[0], "PUBLISH");

    args[1].data = channel;
    args[1].len = ngx_sprintf(channel, "%V%V.%i", &ngx_ws_mgr_engine_channel,
                              &node, slot - 1)
                  - channel;

    args[2].data = text;
    args[2].len = ngx_sprintf(text, "%c %ui\n%V", NGX_WS_MGR_TELL_CUT, code, id)
                  - text;

    if (ngx_ws_mgr_redis_call(server->commands, &item->call, args, 3)
        != NGX_OK)
    {
        ngx_ws_mgr_engine_unasked(item);
    }
}


static void
ngx_ws_mgr_engine_kicked(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_ws_mgr_engine_op_t    *op;
    ngx_ws_mgr_engine_item_t  *item = call->data;

    op = item->op;

    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        op->nodes = ngx_array_create(op->pool, 1,
                                     sizeof(ngx_ws_mgr_engine_node_t));

        if (op->nodes && reply->integer) {
            op->nodes->nelts = 1;
        }
    }

    ngx_ws_mgr_engine_answered(item, op->nodes == NULL);
}


static void
ngx_ws_mgr_engine_redis_cancel(ngx_ws_mgr_engine_op_t *op)
{
    ngx_queue_t               *q;
    ngx_ws_mgr_engine_item_t  *item;

    while (op->pending) {
        q = ngx_queue_head(&op->items);
        item = ngx_queue_data(q, ngx_ws_mgr_engine_item_t, queue);

        ngx_queue_remove(q);
        op->pending--;

        if (item->wait.next) {
            ngx_queue_remove(&item->wait);
        }

        ngx_ws_mgr_redis_cancel(&item->call);
    }
}
