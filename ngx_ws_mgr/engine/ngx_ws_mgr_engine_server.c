
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Questions of the engine in Redis: the servers of this worker, the keys of a
 * user, and the items of an op, each of which is one question to one server.
 * An op is done when its last item has an answer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_io.h>


static void ngx_ws_mgr_engine_nodes_done(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static ngx_int_t ngx_ws_mgr_engine_read_nodes(ngx_ws_mgr_engine_op_t *op,
    redisReply *reply);


ngx_ws_mgr_engine_redis_conf_t  *ngx_ws_mgr_engine_conf;
ngx_str_t                        ngx_ws_mgr_engine_channel;
ngx_str_t                        ngx_ws_mgr_engine_field;

ngx_ws_mgr_engine_server_t      *ngx_ws_mgr_engine_servers;
ngx_uint_t                       ngx_ws_mgr_engine_nservers;


ngx_ws_mgr_engine_server_t *
ngx_ws_mgr_engine_server(ngx_str_t *user)
{
    return &ngx_ws_mgr_engine_servers[
                   ngx_ws_mgr_ring_server(&ngx_ws_mgr_engine_conf->ring, user)];
}


void
ngx_ws_mgr_engine_keys(ngx_ws_mgr_engine_keys_t *keys, ngx_str_t *user)
{
    u_char      *p;
    size_t       i;
    ngx_uint_t   k;

    static const char  *names[] = {
        ":log", ":events", ":ids", ":members", ":runs"
    };

    p = ngx_sprintf(keys->data[0], "%V{", &ngx_ws_mgr_engine_conf->prefix);

    for (i = 0; i < user->len; i++) {

        if (ngx_strchr("{}%", user->data[i])) {
            p = ngx_sprintf(p, "%%%02Xd", user->data[i]);

        } else {
            *p++ = user->data[i];
        }
    }

    *p++ = '}';

    for (k = 0; k < NGX_WS_MGR_ENGINE_KEYS; k++) {
        keys->key[k].data = keys->data[k];
        keys->key[k].len = p - keys->data[0];

        if (k) {
            ngx_memcpy(keys->data[k], keys->data[0], keys->key[k].len);
        }
    }

    for (k = 0; k < NGX_WS_MGR_ENGINE_KEYS; k++) {
        p = keys->data[k] + keys->key[k].len;
        keys->key[k].len = ngx_sprintf(p, "%s", names[k]) - keys->data[k];
    }
}


void *
ngx_ws_mgr_engine_item(ngx_ws_mgr_engine_op_t *op, size_t size)
{
    ngx_ws_mgr_engine_item_t  *item;

    item = ngx_pcalloc(op->pool, size);

    if (item == NULL) {
        op->failed++;
        return NULL;
    }

    item->op = op;
    item->call.data = item;

    if (op->pending++ == 0) {
        ngx_queue_init(&op->items);
    }

    ngx_queue_insert_tail(&op->items, &item->queue);

    return item;
}


void
ngx_ws_mgr_engine_unasked(ngx_ws_mgr_engine_item_t *item)
{
    ngx_queue_remove(&item->queue);

    item->op->failed++;
    item->op->pending--;
}


void
ngx_ws_mgr_engine_answered(ngx_ws_mgr_engine_item_t *item, ngx_uint_t failed)
{
    ngx_ws_mgr_engine_op_t  *op;

    op = item->op;

    ngx_queue_remove(&item->queue);
    op->failed += failed;

    if (--op->pending == 0) {
        op->done(op);
    }
}


void
ngx_ws_mgr_engine_ask_nodes(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user,
    ngx_str_t *text)
{
    ngx_str_t                    args[4];
    ngx_ws_mgr_engine_item_t    *item;
    ngx_ws_mgr_engine_keys_t     keys;
    ngx_ws_mgr_engine_server_t  *server;

    item = ngx_ws_mgr_engine_item(op, sizeof(ngx_ws_mgr_engine_item_t));
    if (item == NULL) {
        return;
    }

    server = ngx_ws_mgr_engine_server(user);
    ngx_ws_mgr_engine_keys(&keys, user);

    item->call.done = ngx_ws_mgr_engine_nodes_done;
    item->call.script = text ? &ngx_ws_mgr_engine_script_tell
                             : &ngx_ws_mgr_engine_script_nodes;
    item->call.timeout = server->conf->timeout;

    ngx_str_set(&args[0], "1");
    args[1] = keys.key[NGX_WS_MGR_ENGINE_MEMBERS];
    args[2] = ngx_ws_mgr_engine_channel;

    if (text) {
        args[3] = *text;
    }

    if (ngx_ws_mgr_redis_call(server->commands, &item->call, args,
                              text ? 4 : 3)
        != NGX_OK)
    {
        ngx_ws_mgr_engine_unasked(item);
    }
}


static void
ngx_ws_mgr_engine_nodes_done(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_int_t                  rc;
    ngx_ws_mgr_engine_item_t  *item = call->data;

    rc = reply ? ngx_ws_mgr_engine_read_nodes(item->op, reply) : NGX_ERROR;

    ngx_ws_mgr_engine_answered(item, rc != NGX_OK);
}


static ngx_int_t
ngx_ws_mgr_engine_read_nodes(ngx_ws_mgr_engine_op_t *op, redisReply *reply)
{
    size_t                      i;
    redisReply                 *name;
    ngx_ws_mgr_engine_node_t   *node;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2) {
        return NGX_ERROR;
    }

    op->nodes = ngx_array_create(op->pool, reply->elements / 2 + 1,
                                 sizeof(ngx_ws_mgr_engine_node_t));
    if (op->nodes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < reply->elements; i += 2) {
        name = reply->element[i];

        if (name->type != REDIS_REPLY_STRING
            || reply->element[i + 1]->type != REDIS_REPLY_INTEGER)
        {
            return NGX_ERROR;
        }

        node = ngx_array_push(op->nodes);
        node->sockets = reply->element[i + 1]->integer;
        node->name.len = name->len;
        node->name.data = ngx_pnalloc(op->pool, name->len + 1);

        if (node->name.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(node->name.data, name->str, name->len);
    }

    return NGX_OK;
}
