
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the noun "redis" share.  Not for others.
 */


#ifndef _NGX_WS_MGR_REDIS_IO_H_INCLUDED_
#define _NGX_WS_MGR_REDIS_IO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_discard.h>
#include <ngx_ws_mgr_histogram.h>
#include <ngx_ws_mgr_redis.h>
#include <ngx_ws_mgr_redis_fault.h>


#define NGX_WS_MGR_REDIS_HELLO    3        /* AUTH, SELECT, PING */
#define NGX_WS_MGR_REDIS_BUFFER   16384    /* bytes read at once */
#define NGX_WS_MGR_REDIS_REPLY    (64 * 1024 * 1024)
#define NGX_WS_MGR_REDIS_ITEMS    65536    /* elements of one array */

#define NGX_WS_MGR_REDIS_PROBE_AGAIN  250  /* ms; where something is wrong */


struct ngx_ws_mgr_redis_s {
    ngx_queue_t                  queue;    /* of all servers of the worker */
    ngx_ws_mgr_redis_conf_t     *conf;
    ngx_log_t                   *log;
    ngx_connection_t            *connection;   /* NULL: none */
    ngx_uint_t                   attempts; /* which address is next */
    ngx_msec_t                   backoff;
    ngx_msec_t                   heard;    /* when it last showed life */
    ngx_event_t                  timer;    /* the next attempt, or probe */
    ngx_event_t                  flush;

    redisReader                 *reader;
    redisReplyObjectFunctions    functions;

    /* slots: for when it is ready; those that a reply is due for, in order */
    ngx_queue_t                  waiting;
    ngx_queue_t                  sent;

    /* not run, since the server did not know the script: sent again, with the
       script, when all behind them in the pipeline were answered */
    ngx_queue_t                  again;

    /* on its way out */
    u_char                      *out;
    size_t                       out_pos;
    size_t                       out_len;
    size_t                       out_size;

    ngx_ws_mgr_redis_call_t      hello[NGX_WS_MGR_REDIS_HELLO];
    ngx_ws_mgr_redis_call_t      ping;
    ngx_ws_mgr_redis_probe_pt    probe;

    void                       (*on_ready)(void *data);    /* or NULL */
    ngx_ws_mgr_redis_heard_pt    on_message;   /* or NULL */
    void                        *data;     /* of both */

    u_char                       fault[NGX_WS_MGR_REDIS_FAULT];
    size_t                       nfault;   /* 0: none */

    unsigned                     connected:1;
    unsigned                     ready:1;  /* logged in */
    unsigned                     lost:1;   /* out of step, to be given up */
};


/* a command on its way, until its reply is here, whoever may wait for it */

struct ngx_ws_mgr_redis_slot_s {
    ngx_queue_t                       queue;
    ngx_event_t                       timer;
    ngx_ws_mgr_redis_t               *redis;
    ngx_ws_mgr_redis_call_t          *call;     /* NULL: nobody */
    const ngx_ws_mgr_redis_script_t  *script;
    ngx_uint_t                        nargs;
    uint64_t                          begun;    /* us */
    unsigned                          waiting:1;  /* not sent yet */
    unsigned                          text:1;   /* goes with the script */
    size_t                            len;
    u_char                            args[1];  /* as they travel */
};


/* --- redis_call.c --- */

/* a command of the connection's own, while it is not ready for others */
ngx_int_t ngx_ws_mgr_redis_hello(ngx_ws_mgr_redis_t *redis,
    ngx_ws_mgr_redis_call_t *call, ngx_str_t *args, ngx_uint_t nargs);

/* takes the reply to the oldest slot that was sent; NGX_ERROR: there is none
   that it could be for */
ngx_int_t ngx_ws_mgr_redis_answer(ngx_ws_mgr_redis_t *redis,
    redisReply *reply);

/* sends what waits; NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_redis_release(ngx_ws_mgr_redis_t *redis);

/* what was sent will have no reply */
void ngx_ws_mgr_redis_fail(ngx_ws_mgr_redis_t *redis);

/* without a word to anybody */
void ngx_ws_mgr_redis_forget(ngx_ws_mgr_redis_t *redis);

/* --- redis_reply.c --- */

/* a reader for a new connection; NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_redis_reader(ngx_ws_mgr_redis_t *redis);

/* reads and answers until the socket has no more; NGX_ERROR: the connection
   must be given up, and the fault is noted */
ngx_int_t ngx_ws_mgr_redis_receive(ngx_ws_mgr_redis_t *redis);


#endif /* _NGX_WS_MGR_REDIS_IO_H_INCLUDED_ */
