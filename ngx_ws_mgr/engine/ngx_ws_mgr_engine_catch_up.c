
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_engine_io.h>


#define NGX_WS_MGR_CATCH_EVENTS   256      /* of one answer */
#define NGX_WS_MGR_CATCH_BYTES    (1024 * 1024)
#define NGX_WS_MGR_CATCH_FIGURES  13
#define NGX_WS_MGR_CATCH_ARGS     (6 + NGX_WS_MGR_CATCH_FIGURES + 2)


/* an answer of the sync script that is being read */

typedef struct {
    redisReply                  *reply;    /* NULL: there is no log */
    size_t                       next;     /* element */
    uint64_t                     epoch;
    uint64_t                     last;
    uint64_t                     base;
    ngx_uint_t                   past;
} ngx_ws_mgr_catch_answer_t;


static ngx_int_t ngx_ws_mgr_catch_answer(ngx_ws_mgr_catch_answer_t *answer,
    redisReply *reply);
static ngx_int_t ngx_ws_mgr_catch_next(void *data,
    ngx_ws_mgr_engine_triple_t *triple);


ngx_int_t
ngx_ws_mgr_engine_ask_sync(ngx_ws_mgr_engine_server_t *server,
    ngx_ws_mgr_redis_call_t *call, ngx_ws_mgr_engine_sync_t *sync)
{
    u_char                    *p;
    ngx_str_t                  args[NGX_WS_MGR_CATCH_ARGS], *arg;
    ngx_uint_t                 i;
    ngx_ws_mgr_user_info_t     info;
    ngx_ws_mgr_engine_keys_t   keys;
    uint64_t                   figures[NGX_WS_MGR_CATCH_FIGURES];
    u_char                     text[NGX_WS_MGR_CATCH_FIGURES * NGX_INT64_LEN];

    if (ngx_ws_mgr_census_user_info(&sync->user, &info) != NGX_OK) {
        ngx_memzero(&info, sizeof(ngx_ws_mgr_user_info_t));
    }

    ngx_ws_mgr_engine_keys(&keys, &sync->user);

    ngx_str_set(&args[0], "4");
    ngx_memcpy(&args[1], keys.key, 4 * sizeof(ngx_str_t));

    /* who does not listen would be told in vain */

    args[5] = ngx_ws_mgr_engine_field;

    if (!server->subscribed || !sync->used) {
        args[5].len = 0;
    }

    /* those who are here have seen nothing of it, if it is another log than
       theirs */

    if (!info.shared && info.connections) {
        sync->want = 1;
        sync->from.epoch = 0;
    }

    figures[0] = sync->sockets;
    figures[1] = ngx_max(ngx_ws_mgr_registry_conf->limits.age,
                         NGX_WS_MGR_ENGINE_LIFE);
    figures[2] = sync->used;
    figures[3] = ngx_ws_mgr_registry_conf->limits.age;
    figures[4] = info.shared ? info.position.epoch : 0;
    figures[5] = info.floor;
    figures[6] = info.position.seq;
    figures[7] = info.stamp;
    figures[8] = sync->want;
    figures[9] = sync->want ? sync->from.epoch : 0;
    figures[10] = sync->want ? sync->from.seq : 0;
    figures[11] = NGX_WS_MGR_CATCH_EVENTS;
    figures[12] = NGX_WS_MGR_CATCH_BYTES;

    p = text;
    arg = &args[6];

    for (i = 0; i < NGX_WS_MGR_CATCH_FIGURES; i++, arg++) {
        arg->data = p;
        p = ngx_sprintf(p, "%uL", figures[i]);
        arg->len = p - arg->data;
    }

    arg[0] = ngx_ws_mgr_engine_channel;
    arg[1] = sync->user;

    call->script = &ngx_ws_mgr_engine_script_sync;

    return ngx_ws_mgr_redis_call(server->commands, call, args,
                                 NGX_WS_MGR_CATCH_ARGS);
}


ngx_int_t
ngx_ws_mgr_engine_catch_up(ngx_str_t *user, redisReply *reply,
    ngx_uint_t want)
{
    ngx_ws_mgr_feed_e           rc;
    ngx_ws_mgr_user_info_t      info;
    ngx_ws_mgr_catch_answer_t   answer;

    if (ngx_ws_mgr_catch_answer(&answer, reply) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* a user without a log, of whom nobody is here */

    if (answer.reply == NULL) {
        return NGX_OK;
    }

    if (!answer.past
        && ngx_ws_mgr_publish_adopt(user, answer.epoch, answer.base)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_ws_mgr_engine_feed(user, answer.epoch, ngx_ws_mgr_catch_next,
                                &answer, 1, answer.past);

    if (rc == NGX_WS_MGR_FEED_NO_MEMORY) {
        return NGX_ERROR;
    }

    if (rc != NGX_WS_MGR_FEED_OK
        || ngx_ws_mgr_census_user_info(user, &info) != NGX_OK
        || info.position.seq < answer.last)
    {
        return NGX_AGAIN;
    }

    /* where the past is wanted, until there is none that we have not */

    return (want && reply->elements > 4) ? NGX_AGAIN : NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_catch_answer(ngx_ws_mgr_catch_answer_t *answer,
    redisReply *reply)
{
    ngx_int_t    epoch;
    redisReply **e;

    ngx_memzero(answer, sizeof(ngx_ws_mgr_catch_answer_t));

    if (reply->type != REDIS_REPLY_ARRAY) {
        return NGX_ERROR;
    }

    if (reply->elements == 0) {
        return NGX_OK;
    }

    e = reply->element;

    if (reply->elements < 4 || reply->elements % 3 != 1
        || e[0]->type != REDIS_REPLY_STRING
        || e[1]->type != REDIS_REPLY_INTEGER
        || e[2]->type != REDIS_REPLY_INTEGER
        || e[3]->type != REDIS_REPLY_INTEGER)
    {
        return NGX_ERROR;
    }

    epoch = ngx_atoi((u_char *) e[0]->str, e[0]->len);

    if (epoch <= 0) {
        return NGX_ERROR;
    }

    answer->reply = reply;
    answer->next = 4;
    answer->epoch = epoch;
    answer->last = e[1]->integer;
    answer->base = e[2]->integer;
    answer->past = e[3]->integer;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_catch_next(void *data, ngx_ws_mgr_engine_triple_t *triple)
{
    redisReply                  **e;
    ngx_ws_mgr_catch_answer_t   *answer = data;

    if (answer->next == answer->reply->elements) {
        return NGX_DONE;
    }

    e = &answer->reply->element[answer->next];
    answer->next += 3;

    if (e[0]->type != REDIS_REPLY_INTEGER || e[1]->type != REDIS_REPLY_INTEGER
        || e[2]->type != REDIS_REPLY_STRING)
    {
        return NGX_ERROR;
    }

    triple->seq = e[0]->integer;
    triple->ts = e[1]->integer;
    triple->text = (u_char *) e[2]->str;
    triple->len = e[2]->len;

    return NGX_OK;
}
