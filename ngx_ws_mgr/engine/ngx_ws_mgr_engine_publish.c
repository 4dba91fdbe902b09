
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_io.h>


/* number of keys, keys, and arguments before those of the events */

#define NGX_WS_MGR_ENGINE_FIXED                                               \
    (1 + NGX_WS_MGR_ENGINE_KEYS + NGX_WS_MGR_PUBLISH_ARGS)


typedef struct {
    ngx_ws_mgr_engine_item_t   item;
    ngx_ws_mgr_publish_t     **p;
    ngx_uint_t                 n;
    uint64_t                   begun;      /* us */
} ngx_ws_mgr_engine_group_t;


static ngx_int_t ngx_ws_mgr_engine_ask(ngx_ws_mgr_engine_group_t *group);
static void ngx_ws_mgr_engine_fixed(ngx_str_t *args, ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_engine_keys_t *keys, u_char *text);
static u_char *ngx_ws_mgr_engine_each(ngx_str_t *args, ngx_ws_mgr_publish_t *p,
    u_char *text);
static void ngx_ws_mgr_engine_done(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_engine_all(ngx_ws_mgr_engine_group_t *group,
    ngx_ws_mgr_publish_result_e result);
static ngx_int_t ngx_ws_mgr_engine_sound(redisReply *reply, ngx_uint_t n,
    uint64_t *epoch);
static void ngx_ws_mgr_engine_result(ngx_ws_mgr_publish_t *p,
    redisReply **element);
static void ngx_ws_mgr_engine_put(ngx_ws_mgr_engine_group_t *group,
    uint64_t epoch);


void
ngx_ws_mgr_engine_redis_publish(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_publish_t **p, ngx_uint_t n)
{
    ngx_uint_t                  i;
    ngx_ws_mgr_engine_group_t  *group;

    for (i = 0; i < n; i++) {
        p[i]->result = NGX_WS_MGR_PUBLISH_UNAVAILABLE;
    }

    group = ngx_ws_mgr_engine_item(op, sizeof(ngx_ws_mgr_engine_group_t));
    if (group == NULL) {
        return;
    }

    group->n = n;
    group->begun = ngx_ws_mgr_histogram_clock();
    group->p = ngx_palloc(op->pool, n * sizeof(ngx_ws_mgr_publish_t *));

    if (group->p) {
        ngx_memcpy(group->p, p, n * sizeof(ngx_ws_mgr_publish_t *));
    }

    if (group->p == NULL || ngx_ws_mgr_engine_ask(group) != NGX_OK) {
        ngx_ws_mgr_engine_unasked(&group->item);
    }
}


static ngx_int_t
ngx_ws_mgr_engine_ask(ngx_ws_mgr_engine_group_t *group)
{
    u_char                      *text;
    size_t                       size;
    ngx_int_t                    rc;
    ngx_str_t                   *args, *arg;
    ngx_uint_t                   i, nargs;
    ngx_ws_mgr_engine_keys_t     keys;
    ngx_ws_mgr_engine_server_t  *server;

    nargs = NGX_WS_MGR_ENGINE_FIXED + group->n * NGX_WS_MGR_PUBLISH_EACH;
    size = nargs * sizeof(ngx_str_t) + 8 * NGX_INT64_LEN;

    for (i = 0; i < group->n; i++) {
        size += ngx_ws_mgr_record_size(group->p[i]) + 1
                + group->p[i]->run.tool.len;
    }

    args = ngx_alloc(size, ngx_cycle->log);
    if (args == NULL) {
        return NGX_ERROR;
    }

    text = (u_char *) (args + nargs);

    ngx_ws_mgr_engine_fixed(args, group->p[0], &keys, text);

    text += 8 * NGX_INT64_LEN;
    arg = args + NGX_WS_MGR_ENGINE_FIXED;

    for (i = 0; i < group->n; i++, arg += NGX_WS_MGR_PUBLISH_EACH) {
        text = ngx_ws_mgr_engine_each(arg, group->p[i], text);
    }

    server = ngx_ws_mgr_engine_server(&group->p[0]->user);

    group->item.call.done = ngx_ws_mgr_engine_done;
    group->item.call.script = &ngx_ws_mgr_engine_script_publish;
    group->item.call.timeout = server->conf->timeout;

    rc = ngx_ws_mgr_redis_call(server->commands, &group->item.call, args,
                               nargs);
    ngx_free(args);

    return rc;
}


static void
ngx_ws_mgr_engine_fixed(ngx_str_t *args, ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_engine_keys_t *keys, u_char *text)
{
    u_char                   *last;
    ngx_uint_t                i;
    uint64_t                  figures[4];
    ngx_ws_mgr_log_limits_t  *limits;

    ngx_ws_mgr_engine_keys(keys, &p->user);

    ngx_str_set(&args[0], "5");
    ngx_memcpy(&args[1], keys->key, sizeof(keys->key));

    limits = &ngx_ws_mgr_registry_conf->limits;

    figures[0] = limits->events;
    figures[1] = limits->bytes;
    figures[2] = limits->age;
    figures[3] = ngx_max(limits->age, NGX_WS_MGR_ENGINE_LIFE);

    for (i = 0; i < 4; i++) {
        last = ngx_sprintf(text, "%uL", figures[i]);
        args[6 + i].data = text;
        args[6 + i].len = last - text;
        text = last;
    }

    args[10] = ngx_ws_mgr_engine_channel;
    args[11] = p->user;

    args[12].data = text;
    args[12].len = ngx_sprintf(text, "%ui", p->run_order) - text;
}


static u_char *
ngx_ws_mgr_engine_each(ngx_str_t *args, ngx_ws_mgr_publish_t *p, u_char *text)
{
    u_char  *last;

    static const char  steps[] = {         /* of NGX_WS_MGR_TYPE_... */
        '\0',
        NGX_WS_MGR_STEP_STARTED,
        NGX_WS_MGR_STEP_OTHER,
        NGX_WS_MGR_STEP_EXECUTING,
        NGX_WS_MGR_STEP_COMPLETED,
        NGX_WS_MGR_STEP_ENDED,
        NGX_WS_MGR_STEP_ENDED,
        NGX_WS_MGR_STEP_ENDED,
        NGX_WS_MGR_STEP_ENDED
    };

    args[0] = p->entry.event_id;

    last = ngx_ws_mgr_record_write(text, p);
    args[1].data = text;
    args[1].len = last - text;

    args[2] = p->run.id;

    args[3].data = last;
    args[3].len = 0;

    if (p->run.id.len == 0 || steps[p->run.known] == '\0') {
        return last;
    }

    *last++ = (u_char) steps[p->run.known];

    if (p->run.known == NGX_WS_MGR_TYPE_TOOL_EXECUTING
        || p->run.known == NGX_WS_MGR_TYPE_TOOL_COMPLETED)
    {
        last = ngx_cpymem(last, p->run.tool.data, p->run.tool.len);
    }

    args[3].len = last - args[3].data;

    return last;
}


static void
ngx_ws_mgr_engine_done(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    uint64_t                     epoch;
    ngx_uint_t                   i, fine;
    ngx_ws_mgr_engine_group_t   *group = call->data;
    ngx_ws_mgr_engine_server_t  *server;

    fine = 0;

    if (reply == NULL) {
        ngx_ws_mgr_engine_all(group, call->sent
                                     ? NGX_WS_MGR_PUBLISH_UNKNOWN
                                     : NGX_WS_MGR_PUBLISH_UNAVAILABLE);

    } else if (ngx_ws_mgr_engine_sound(reply, group->n, &epoch) != NGX_OK) {
        server = ngx_ws_mgr_engine_server(&group->p[0]->user);
        ngx_ws_mgr_redis_blame(server->commands, reply);

        /* an error means that nothing was done: the script's first write
           fails, or none does */

        ngx_ws_mgr_engine_all(group, reply->type == REDIS_REPLY_ERROR
                                     ? NGX_WS_MGR_PUBLISH_UNAVAILABLE
                                     : NGX_WS_MGR_PUBLISH_UNKNOWN);
    } else {
        fine = 1;

        for (i = 0; i < group->n; i++) {
            group->p[i]->position.epoch = epoch;
            ngx_ws_mgr_engine_result(group->p[i], &reply->element[
                                         1 + i * NGX_WS_MGR_PUBLISH_RESULT]);
        }

        ngx_ws_mgr_engine_put(group, epoch);
    }

    ngx_ws_mgr_histogram_note(NGX_WS_MGR_HISTOGRAM_ENGINE_PUBLISH,
                              ngx_ws_mgr_histogram_clock() - group->begun);

    ngx_ws_mgr_engine_answered(&group->item, !fine);
}


static void
ngx_ws_mgr_engine_all(ngx_ws_mgr_engine_group_t *group,
    ngx_ws_mgr_publish_result_e result)
{
    ngx_uint_t  i;

    for (i = 0; i < group->n; i++) {
        group->p[i]->result = result;
    }
}


static ngx_int_t
ngx_ws_mgr_engine_sound(redisReply *reply, ngx_uint_t n, uint64_t *epoch)
{
    size_t     i;
    ngx_int_t  value;

    if (reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 1 + n * NGX_WS_MGR_PUBLISH_RESULT
        || reply->element[0]->type != REDIS_REPLY_STRING)
    {
        return NGX_DECLINED;
    }

    value = ngx_atoi((u_char *) reply->element[0]->str,
                     reply->element[0]->len);

    if (value <= 0) {
        return NGX_DECLINED;
    }

    for (i = 1; i < reply->elements; i++) {
        if (reply->element[i]->type != REDIS_REPLY_INTEGER
            || reply->element[i]->integer < 0)
        {
            return NGX_DECLINED;
        }
    }

    *epoch = value;

    return NGX_OK;
}


static void
ngx_ws_mgr_engine_result(ngx_ws_mgr_publish_t *p, redisReply **element)
{
    static const ngx_ws_mgr_publish_result_e  results[] = {
        NGX_WS_MGR_PUBLISH_OK,             /* NGX_WS_MGR_APPEND_NEW */
        NGX_WS_MGR_PUBLISH_OK,             /* _DUPLICATE */
        NGX_WS_MGR_PUBLISH_CONFLICT,
        NGX_WS_MGR_PUBLISH_RUN_ORDER       /* _DISORDER */
    };

    p->result = results[element[0]->integer & 3];
    p->duplicate = (element[0]->integer
                    == NGX_WS_MGR_APPEND_DUPLICATE);
    p->position.seq = element[1]->integer;
    p->position.broadcast = (p->user.len == 1 && p->user.data[0] == '*');
    p->entry.seq = element[1]->integer;
    p->entry.now = element[2]->integer;
    p->nodes = element[3]->integer;
    p->unknown_nodes = 0;

    p->disorder = ngx_ws_mgr_run_fault(element[4]->integer);
}


/* at once, not when it is heard: what is in the log is what is counted */

static void
ngx_ws_mgr_engine_put(ngx_ws_mgr_engine_group_t *group, uint64_t epoch)
{
    ngx_str_t             *user;
    ngx_uint_t             i, n, here;
    ngx_ws_mgr_feed_e      rc;
    ngx_ws_mgr_publish_t  *p, **put;

    user = &group->p[0]->user;
    put = group->p;
    n = 0;

    for (i = 0; i < group->n; i++) {
        if (group->p[i]->result == NGX_WS_MGR_PUBLISH_OK) {
            p = group->p[n];
            group->p[n++] = group->p[i];
            group->p[i] = p;
        }
    }

    rc = n ? ngx_ws_mgr_publish_feed(user, epoch, put, n, 0)
           : NGX_WS_MGR_FEED_OK;

    if (rc != NGX_WS_MGR_FEED_OK && rc != NGX_WS_MGR_FEED_NOBODY) {
        ngx_ws_mgr_engine_follow_stale(user, 0);
    }

    for (i = 0; i < n; i++) {
        p = put[i];
        here = p->sockets && ngx_ws_mgr_engine_server(user)->subscribed;
        p->elsewhere = p->nodes > here;
    }
}
