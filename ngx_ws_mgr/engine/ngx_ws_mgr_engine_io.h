
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the engine in Redis share.  Not for others.
 */


#ifndef _NGX_WS_MGR_ENGINE_IO_H_INCLUDED_
#define _NGX_WS_MGR_ENGINE_IO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_engine_redis.h>
#include <ngx_ws_mgr_engine_record.h>
#include <ngx_ws_mgr_engine_script.h>


#define NGX_WS_MGR_ENGINE_FIELD    (NGX_WS_MGR_NODE_LEN + 1 + NGX_INT_T_LEN)

/* "<prefix>{<user>}", in which braces and percent signs take three bytes, and
   the longest ending */
#define NGX_WS_MGR_ENGINE_KEY                                                 \
    (NGX_WS_MGR_ENGINE_PREFIX + 2 + 3 * 255 + sizeof(":members"))

#define NGX_WS_MGR_ENGINE_KEYS     5
#define NGX_WS_MGR_ENGINE_LOG      0
#define NGX_WS_MGR_ENGINE_EVENTS   1
#define NGX_WS_MGR_ENGINE_IDS      2
#define NGX_WS_MGR_ENGINE_MEMBERS  3
#define NGX_WS_MGR_ENGINE_RUNS     4

/* ms that what is known of a user is kept without a sign of life */
#define NGX_WS_MGR_ENGINE_LIFE     (15 * 60 * 1000)


/* one server, as this worker knows it */

typedef struct {
    ngx_ws_mgr_redis_conf_t   *conf;
    ngx_ws_mgr_redis_conf_t    channel_conf;
    ngx_ws_mgr_redis_t        *commands;
    ngx_ws_mgr_redis_t        *channel;
    ngx_ws_mgr_redis_call_t    subscribe;
    ngx_ws_mgr_redis_call_t    instance;
    ngx_ws_mgr_redis_call_t    probe;
    u_char                     id[NGX_INT64_LEN];  /* of what it holds */
    size_t                     nid;

    /* engine_follow.c's */
    ngx_queue_t                follows;    /* all */
    ngx_queue_t                stale;      /* those to be synced */
    ngx_uint_t                 nfollows;
    ngx_uint_t                 syncing;    /* now */
    unsigned                   subscribed:1;
} ngx_ws_mgr_engine_server_t;


/* one question of an op; in its pool */

typedef struct {
    ngx_queue_t                queue;      /* of op->items */
    ngx_queue_t                wait;       /* of a follow; next NULL: of none */
    ngx_ws_mgr_engine_op_t    *op;
    ngx_ws_mgr_redis_call_t    call;
} ngx_ws_mgr_engine_item_t;


/* the keys of a user, as arguments of a call */

typedef struct {
    u_char                     data[NGX_WS_MGR_ENGINE_KEYS]
                                   [NGX_WS_MGR_ENGINE_KEY];
    ngx_str_t                  key[NGX_WS_MGR_ENGINE_KEYS];
} ngx_ws_mgr_engine_keys_t;


extern ngx_ws_mgr_engine_redis_conf_t  *ngx_ws_mgr_engine_conf;
extern ngx_str_t                        ngx_ws_mgr_engine_channel;
                                           /* of workers, without the field */
extern ngx_str_t                        ngx_ws_mgr_engine_field;
                                           /* this worker's */
extern ngx_ws_mgr_engine_server_t      *ngx_ws_mgr_engine_servers;
extern ngx_uint_t                       ngx_ws_mgr_engine_nservers;

/* --- engine_server.c --- */

ngx_ws_mgr_engine_server_t *ngx_ws_mgr_engine_server(ngx_str_t *user);
void ngx_ws_mgr_engine_keys(ngx_ws_mgr_engine_keys_t *keys, ngx_str_t *user);

/* a new question, of "size" bytes; NULL: no memory, the op has failed */
void *ngx_ws_mgr_engine_item(ngx_ws_mgr_engine_op_t *op, size_t size);
/* it has its answer, or none: the last one calls op->done */
void ngx_ws_mgr_engine_answered(ngx_ws_mgr_engine_item_t *item,
    ngx_uint_t failed);
/* asks for op->nodes: of the user's sockets, or, with a text, those that hear
   it */
void ngx_ws_mgr_engine_ask_nodes(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user,
    ngx_str_t *text);
/* it could not be asked: as if it had not been there */
void ngx_ws_mgr_engine_unasked(ngx_ws_mgr_engine_item_t *item);

/* --- engine_publish.c --- */

void ngx_ws_mgr_engine_redis_publish(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_publish_t **p, ngx_uint_t n);

/* --- engine_follow.c --- */

void ngx_ws_mgr_engine_redis_enter(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *user, ngx_ws_mgr_position_t *from);
void ngx_ws_mgr_engine_redis_leave(ngx_str_t *user);
void ngx_ws_mgr_engine_redis_reach(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *user, ngx_ws_mgr_position_t *from);
void ngx_ws_mgr_engine_redis_watch(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *user);
void ngx_ws_mgr_engine_redis_unwatch(ngx_str_t *user);
void ngx_ws_mgr_engine_redis_lost(ngx_uint_t shard);

void ngx_ws_mgr_engine_follow_init(void);
void ngx_ws_mgr_engine_follow_exit(ngx_ws_mgr_engine_server_t *server);

/* as if a socket of the user came, and never left */
ngx_int_t ngx_ws_mgr_engine_follow_keep(ngx_str_t *user);

/* loads all there is of the user's log, if it is known; an item of the op is
   answered then */
void ngx_ws_mgr_engine_follow_load(ngx_ws_mgr_engine_op_t *op,
    ngx_str_t *user);

/* the user's log lacks something.  Nothing is done of one that is not
   followed, unless "drop": then the server is told so */
void ngx_ws_mgr_engine_follow_stale(ngx_str_t *user, ngx_uint_t drop);
/* so may all of the server */
void ngx_ws_mgr_engine_follow_all(ngx_ws_mgr_engine_server_t *server);
/* once a second: some of them, all in a minute; and what failed */
void ngx_ws_mgr_engine_follow_audit(ngx_ws_mgr_engine_server_t *server);

/* --- engine_catch_up.c --- */

/* what is asked of the sync script */

typedef struct {
    ngx_str_t                  user;
    ngx_uint_t                 sockets;    /* of this worker */
    ngx_uint_t                 used;       /* it wants to hear of the user */
    ngx_uint_t                 want;       /* the past, back to "from" */
    ngx_ws_mgr_position_t      from;
} ngx_ws_mgr_engine_sync_t;

/* call->done and call->timeout are the caller's */
ngx_int_t ngx_ws_mgr_engine_ask_sync(ngx_ws_mgr_engine_server_t *server,
    ngx_ws_mgr_redis_call_t *call, ngx_ws_mgr_engine_sync_t *sync);

/*
 * Puts what the sync script has answered into the user's log.  NGX_AGAIN:
 * there is more to be had; NGX_ERROR: no memory; NGX_DECLINED: that is none.
 */
ngx_int_t ngx_ws_mgr_engine_catch_up(ngx_str_t *user, redisReply *reply,
    ngx_uint_t want);

/* --- engine_hear.c --- */

void ngx_ws_mgr_engine_hear(void *data, redisReply *message);

/* --- engine_feed.c --- */

/*
 * Puts events into the log of the user: triples of seq, ts and record, as
 * "next" gives them (NGX_DONE: no more; NGX_ERROR: that is no triple).  With
 * "load" as ngx_ws_mgr_publish_feed(), and "past" in front of the log.  A
 * record that cannot be read is told to the user's sockets as a gap.
 */

typedef struct {
    uint64_t                   seq;
    uint64_t                   ts;
    u_char                    *text;
    size_t                     len;
} ngx_ws_mgr_engine_triple_t;

typedef ngx_int_t (*ngx_ws_mgr_engine_next_pt)(void *data,
    ngx_ws_mgr_engine_triple_t *triple);

ngx_ws_mgr_feed_e ngx_ws_mgr_engine_feed(ngx_str_t *user, uint64_t epoch,
    ngx_ws_mgr_engine_next_pt next, void *data, ngx_uint_t load,
    ngx_uint_t past);


#endif /* _NGX_WS_MGR_ENGINE_IO_H_INCLUDED_ */
