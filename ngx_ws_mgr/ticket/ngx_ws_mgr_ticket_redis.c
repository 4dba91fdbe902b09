
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_node.h>
#include <ngx_ws_mgr_ticket_redis.h>
#include <ngx_ws_mgr_ticket_script.h>


#define NGX_WS_MGR_TICKET_REDIS_ARGS  8
#define NGX_WS_MGR_TICKET_REDIS_KEY                                           \
    (NGX_WS_MGR_TICKET_REDIS_PREFIX + NGX_WS_MGR_TICKET_ID)


/* an operation on its way; in the op's pool */

typedef struct {
    ngx_ws_mgr_redis_call_t     call;
    ngx_ws_mgr_ticket_op_t     *op;
    ngx_uint_t                  verb;
    u_char                      tag[NGX_INT64_LEN];
    size_t                      ntag;
} ngx_ws_mgr_ticket_redis_ask_t;


typedef struct {
    const char                 *word;
    ngx_ws_mgr_ticket_result_e  result;
} ngx_ws_mgr_ticket_redis_word_t;


static void ngx_ws_mgr_ticket_redis_consume(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_redis_issue(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_redis_look(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_redis_revoke(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_redis_cancel(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_redis_start(ngx_ws_mgr_ticket_op_t *op,
    ngx_uint_t verb);
static ngx_int_t ngx_ws_mgr_ticket_redis_ask(
    ngx_ws_mgr_ticket_redis_ask_t *ask, ngx_str_t *id, ngx_str_t *record,
    uint64_t life);
static void ngx_ws_mgr_ticket_redis_probe(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_ticket_redis_probed(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_ticket_redis_done(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static ngx_ws_mgr_ticket_result_e ngx_ws_mgr_ticket_redis_read(
    ngx_ws_mgr_ticket_redis_ask_t *ask, redisReply *reply);
static const ngx_ws_mgr_ticket_redis_word_t *ngx_ws_mgr_ticket_redis_word(
    ngx_ws_mgr_ticket_redis_ask_t *ask, redisReply *reply);
static void ngx_ws_mgr_ticket_redis_count(ngx_uint_t verb);
static void ngx_ws_mgr_ticket_redis_end(ngx_ws_mgr_ticket_op_t *op,
    ngx_ws_mgr_ticket_result_e result);


enum {
    NGX_WS_MGR_TICKET_REDIS_CONSUME = 0,
    NGX_WS_MGR_TICKET_REDIS_ISSUE,
    NGX_WS_MGR_TICKET_REDIS_LOOK,
    NGX_WS_MGR_TICKET_REDIS_REVOKE
};


static ngx_str_t  ngx_ws_mgr_ticket_redis_verbs[] = {
    ngx_string(NGX_WS_MGR_TICKET_VERB_CONSUME),
    ngx_string(NGX_WS_MGR_TICKET_VERB_ISSUE),
    ngx_string(NGX_WS_MGR_TICKET_VERB_LOOK),
    ngx_string(NGX_WS_MGR_TICKET_VERB_REVOKE)
};


static const ngx_ws_mgr_ticket_redis_word_t
    ngx_ws_mgr_ticket_redis_words[] =
{
    { NGX_WS_MGR_TICKET_WORD_OK, NGX_WS_MGR_TICKET_OK },
    { NGX_WS_MGR_TICKET_WORD_UNKNOWN, NGX_WS_MGR_TICKET_UNKNOWN },
    { NGX_WS_MGR_TICKET_WORD_INVALID, NGX_WS_MGR_TICKET_UNKNOWN },
    { NGX_WS_MGR_TICKET_WORD_EXPIRED, NGX_WS_MGR_TICKET_EXPIRED },
    { NGX_WS_MGR_TICKET_WORD_USED, NGX_WS_MGR_TICKET_USED },
    { NGX_WS_MGR_TICKET_WORD_TAKEN, NGX_WS_MGR_TICKET_UNAVAILABLE },
    { NULL, NGX_WS_MGR_TICKET_UNAVAILABLE }
};


const ngx_ws_mgr_ticket_store_t  ngx_ws_mgr_ticket_redis = {
    "redis",
    ngx_ws_mgr_ticket_redis_consume,
    ngx_ws_mgr_ticket_redis_issue,
    ngx_ws_mgr_ticket_redis_look,
    ngx_ws_mgr_ticket_redis_revoke,
    ngx_ws_mgr_ticket_redis_cancel
};


static ngx_ws_mgr_ticket_redis_conf_t  *ngx_ws_mgr_ticket_redis_conf;
static ngx_ws_mgr_redis_t              *ngx_ws_mgr_ticket_redis_server;
static uint64_t                         ngx_ws_mgr_ticket_redis_asked;
static ngx_ws_mgr_ticket_redis_ask_t    ngx_ws_mgr_ticket_redis_probing;
static ngx_str_t                        ngx_ws_mgr_ticket_redis_none;


ngx_ws_mgr_redis_t *
ngx_ws_mgr_ticket_redis_init(ngx_ws_mgr_ticket_redis_conf_t *conf,
    ngx_cycle_t *cycle)
{
    ngx_ws_mgr_ticket_script_init();

    ngx_ws_mgr_ticket_redis_conf = conf;
    ngx_ws_mgr_ticket_redis_server =
                      ngx_ws_mgr_redis_create(conf->redis,
                                              ngx_ws_mgr_ticket_redis_probe,
                                              cycle);

    return ngx_ws_mgr_ticket_redis_server;
}


static void
ngx_ws_mgr_ticket_redis_consume(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_redis_start(op, NGX_WS_MGR_TICKET_REDIS_CONSUME);
}


static void
ngx_ws_mgr_ticket_redis_look(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_redis_start(op, NGX_WS_MGR_TICKET_REDIS_LOOK);
}


static void
ngx_ws_mgr_ticket_redis_revoke(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_redis_start(op, NGX_WS_MGR_TICKET_REDIS_REVOKE);
}


static void
ngx_ws_mgr_ticket_redis_issue(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_t         ticket;
    ngx_ws_mgr_ticket_result_e  result;

    result = ngx_ws_mgr_ticket_check(op, &ticket);

    if (result != NGX_WS_MGR_TICKET_OK) {
        ngx_ws_mgr_ticket_redis_end(op, result);
        return;
    }

    ngx_ws_mgr_ticket_redis_start(op, NGX_WS_MGR_TICKET_REDIS_ISSUE);
}


static void
ngx_ws_mgr_ticket_redis_cancel(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_redis_ask_t  *ask;

    ask = op->store;

    if (ask) {
        op->store = NULL;
        ngx_ws_mgr_redis_cancel(&ask->call);
    }
}


static void
ngx_ws_mgr_ticket_redis_start(ngx_ws_mgr_ticket_op_t *op, ngx_uint_t verb)
{
    uint64_t                        life;
    ngx_str_t                      *record;
    ngx_ws_mgr_ticket_redis_ask_t  *ask;

    op->store = NULL;

    if (ngx_ws_mgr_ticket_check_id(&op->id) != NGX_OK) {
        ngx_ws_mgr_ticket_redis_end(op, NGX_WS_MGR_TICKET_UNKNOWN);
        return;
    }

    ask = ngx_pcalloc(op->pool, sizeof(ngx_ws_mgr_ticket_redis_ask_t));
    if (ask == NULL) {
        ngx_ws_mgr_ticket_redis_end(op, NGX_WS_MGR_TICKET_NO_MEMORY);
        return;
    }

    ask->op = op;
    ask->verb = verb;
    ask->call.done = ngx_ws_mgr_ticket_redis_done;
    ask->call.timeout = ngx_ws_mgr_ticket_redis_conf->timeout;

    record = &ngx_ws_mgr_ticket_redis_none;
    life = 0;

    if (verb == NGX_WS_MGR_TICKET_REDIS_ISSUE) {
        record = &op->record;
        life = (ngx_max(op->expires - ngx_time(), 0)
                + NGX_WS_MGR_TICKET_REDIS_GRACE) * 1000;
    }

    if (ngx_ws_mgr_ticket_redis_ask(ask, &op->id, record, life) != NGX_OK) {
        ngx_ws_mgr_ticket_redis_end(op, NGX_WS_MGR_TICKET_UNAVAILABLE);
        return;
    }

    op->store = ask;
}


static ngx_int_t
ngx_ws_mgr_ticket_redis_ask(ngx_ws_mgr_ticket_redis_ask_t *ask, ngx_str_t *id,
    ngx_str_t *record, uint64_t life)
{
    u_char      key[NGX_WS_MGR_TICKET_REDIS_KEY];
    u_char      text[3][NGX_INT64_LEN];
    ngx_str_t   args[NGX_WS_MGR_TICKET_REDIS_ARGS];

    ask->call.data = ask;
    ask->call.script = &ngx_ws_mgr_ticket_script_store;

    ask->ntag = ngx_sprintf(ask->tag, "%uL", ++ngx_ws_mgr_ticket_redis_asked)
                - ask->tag;

    ngx_str_set(&args[0], "1");

    args[1].data = key;
    args[1].len = ngx_sprintf(key, "%V%V",
                              &ngx_ws_mgr_ticket_redis_conf->prefix, id)
                  - key;

    args[2].data = ask->tag;
    args[2].len = ask->ntag;

    args[3] = ngx_ws_mgr_ticket_redis_verbs[ask->verb];

    args[4].data = text[0];
    args[4].len = ngx_sprintf(text[0], "%uL", ngx_ws_mgr_now()) - text[0];

    args[5] = *record;

    args[6].data = text[1];
    args[6].len = ngx_sprintf(text[1], "%uL", life) - text[1];

    args[7].data = text[2];
    args[7].len = ngx_sprintf(text[2], "%d", NGX_WS_MGR_TICKET_RECORD)
                  - text[2];

    return ngx_ws_mgr_redis_call(ngx_ws_mgr_ticket_redis_server, &ask->call,
                                 args, NGX_WS_MGR_TICKET_REDIS_ARGS);
}


/* a ticket of a millisecond, by which nobody gets in: it has no record */

static void
ngx_ws_mgr_ticket_redis_probe(ngx_ws_mgr_redis_t *redis)
{
    static ngx_str_t  id = ngx_string("probe");

    (void) redis;

    if (ngx_ws_mgr_ticket_redis_probing.call.slot == NULL) {
        ngx_ws_mgr_ticket_redis_probing.call.done =
                                              ngx_ws_mgr_ticket_redis_probed;
        ngx_ws_mgr_ticket_redis_probing.verb = NGX_WS_MGR_TICKET_REDIS_ISSUE;

        (void) ngx_ws_mgr_ticket_redis_ask(&ngx_ws_mgr_ticket_redis_probing,
                                           &id, &ngx_ws_mgr_ticket_redis_none,
                                           1);
    }
}


static void
ngx_ws_mgr_ticket_redis_probed(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply)
{
    ngx_ws_mgr_ticket_redis_ask_t *ask = call->data;

    if (reply == NULL) {
        return;
    }

    if (ngx_ws_mgr_ticket_redis_word(ask, reply) == NULL) {
        ngx_ws_mgr_redis_blame(ngx_ws_mgr_ticket_redis_server, reply);
        return;
    }

    ngx_ws_mgr_redis_well(ngx_ws_mgr_ticket_redis_server);
}


static void
ngx_ws_mgr_ticket_redis_done(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply)
{
    ngx_ws_mgr_ticket_op_t         *op;
    ngx_ws_mgr_ticket_result_e      result;
    ngx_ws_mgr_ticket_redis_ask_t  *ask = call->data;

    op = ask->op;
    op->store = NULL;

    result = reply ? ngx_ws_mgr_ticket_redis_read(ask, reply)
                   : NGX_WS_MGR_TICKET_UNAVAILABLE;

    ngx_ws_mgr_ticket_redis_end(op, result);
}


static ngx_ws_mgr_ticket_result_e
ngx_ws_mgr_ticket_redis_read(ngx_ws_mgr_ticket_redis_ask_t *ask,
    redisReply *reply)
{
    redisReply                            *record;
    ngx_ws_mgr_ticket_op_t                *op;
    const ngx_ws_mgr_ticket_redis_word_t  *word;

    op = ask->op;
    word = ngx_ws_mgr_ticket_redis_word(ask, reply);

    if (word == NULL) {
        ngx_ws_mgr_redis_blame(ngx_ws_mgr_ticket_redis_server, reply);
        return NGX_WS_MGR_TICKET_UNAVAILABLE;
    }

    if (word->result != NGX_WS_MGR_TICKET_OK) {

        if (word->word[0] == 'i') {
            ngx_log_error(NGX_LOG_ERR, op->log, 0,
                          "ws_mgr ticket record in redis is invalid");
        }

        return word->result;
    }

    ngx_ws_mgr_ticket_redis_count(ask->verb);

    if (ask->verb == NGX_WS_MGR_TICKET_REDIS_ISSUE) {
        return NGX_WS_MGR_TICKET_OK;
    }

    record = reply->element[2];

    op->record.len = record->len;
    op->record.data = ngx_pnalloc(op->pool, record->len);

    if (op->record.data == NULL) {
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    ngx_memcpy(op->record.data, record->str, record->len);

    return NGX_WS_MGR_TICKET_OK;
}


/* NULL: that is no answer to what was asked */

static const ngx_ws_mgr_ticket_redis_word_t *
ngx_ws_mgr_ticket_redis_word(ngx_ws_mgr_ticket_redis_ask_t *ask,
    redisReply *reply)
{
    ngx_uint_t                             i;
    redisReply                           **e;
    const ngx_ws_mgr_ticket_redis_word_t  *word;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        return NULL;
    }

    e = reply->element;

    for (i = 0; i < 3; i++) {
        if (e[i]->type != REDIS_REPLY_STRING) {
            return NULL;
        }
    }

    if ((size_t) e[0]->len != ask->ntag
        || ngx_memcmp(e[0]->str, ask->tag, ask->ntag) != 0)
    {
        return NULL;
    }

    for (word = ngx_ws_mgr_ticket_redis_words; word->word; word++) {
        if (ngx_strcmp(e[1]->str, word->word) == 0) {
            return word;
        }
    }

    return NULL;
}


static void
ngx_ws_mgr_ticket_redis_count(ngx_uint_t verb)
{
    switch (verb) {

    case NGX_WS_MGR_TICKET_REDIS_CONSUME:
        ngx_ws_mgr_count(TICKETS_CONSUMED);
        break;

    case NGX_WS_MGR_TICKET_REDIS_ISSUE:
        ngx_ws_mgr_count(TICKETS_ISSUED);
        break;

    case NGX_WS_MGR_TICKET_REDIS_REVOKE:
        ngx_ws_mgr_count(TICKETS_REVOKED);
        break;

    default:
        break;
    }
}


static void
ngx_ws_mgr_ticket_redis_end(ngx_ws_mgr_ticket_op_t *op,
    ngx_ws_mgr_ticket_result_e result)
{
    op->result = result;
    op->used = (result == NGX_WS_MGR_TICKET_USED);

    op->done(op);
}
