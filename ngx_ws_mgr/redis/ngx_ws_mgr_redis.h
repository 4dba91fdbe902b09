
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A Redis server on nginx's event loop: connects, logs in, pipelines, backs
 * off, times out.  Nothing here blocks, ever.
 *
 * Of hiredis it takes the parser of replies.  Its asynchronous layer asserts on
 * what a server sends and resolves names, and is left alone: the connection is
 * nginx's own.
 */


#ifndef _NGX_WS_MGR_REDIS_H_INCLUDED_
#define _NGX_WS_MGR_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <hiredis/hiredis.h>


#define NGX_WS_MGR_REDIS_SHA   40          /* hex digits of a script's name */


/* where a server is and how to get in; of the configuration, and read only */

typedef struct {
    ngx_str_t                         name;     /* for people: no password */
    ngx_addr_t                       *addrs;
    ngx_uint_t                        naddrs;
    ngx_str_t                         user;     /* empty: the default one */
    ngx_str_t                         password; /* empty: none */
    ngx_uint_t                        db;
    ngx_msec_t                        timeout;  /* to connect and log in; and
                                                   without any reply while one
                                                   is due */
} ngx_ws_mgr_redis_conf_t;


typedef struct ngx_ws_mgr_redis_s       ngx_ws_mgr_redis_t;
typedef struct ngx_ws_mgr_redis_slot_s  ngx_ws_mgr_redis_slot_t;
typedef struct ngx_ws_mgr_redis_call_s  ngx_ws_mgr_redis_call_t;


/* run by its SHA1, and by its text where the server has forgotten it */

typedef struct {
    ngx_str_t                         text;
    u_char                            sha[NGX_WS_MGR_REDIS_SHA];
} ngx_ws_mgr_redis_script_t;


/* "reply" is valid until the handler returns; NULL: there was none in time,
   and what was asked for may have been done or not */
typedef void (*ngx_ws_mgr_redis_done_pt)(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);


/* one command; the caller owns it and keeps it until done or cancelled */

struct ngx_ws_mgr_redis_call_s {
    ngx_ws_mgr_redis_done_pt          done;     /* in */
    void                             *data;     /* in: the caller's own */
    const ngx_ws_mgr_redis_script_t  *script;   /* in; NULL: a plain command */
    ngx_msec_t                        timeout;  /* in; 0: as long as the
                                                   connection lives */
    ngx_ws_mgr_redis_slot_t          *slot;     /* NULL: it does not run */
    unsigned                          sent:1;   /* out: so that it may have been
                                                   done, whatever came back */
};


/* what the server says without having been asked: a published message.  Valid
   until the handler returns */
typedef void (*ngx_ws_mgr_redis_heard_pt)(void *data, redisReply *message);


/* asks the server for what it refused, to see when it is over; ends by well()
   or blame() */
typedef void (*ngx_ws_mgr_redis_probe_pt)(ngx_ws_mgr_redis_t *redis);


/*
 * In a worker: begins to connect, and goes on till exit.  "probe" is called
 * now and then while the server is there and something is wrong with it.
 * NULL: no memory.
 */
ngx_ws_mgr_redis_t *ngx_ws_mgr_redis_create(ngx_ws_mgr_redis_conf_t *conf,
    ngx_ws_mgr_redis_probe_pt probe, ngx_cycle_t *cycle);

/* in exit_process: closes all; calls that still run are forgotten */
void ngx_ws_mgr_redis_exit(void);

/*
 * "ready" is called each time that the server can be spoken to (again), and
 * "heard", which may be NULL, for each message of what was subscribed to since.
 * Neither may begin or end a server.
 */
void ngx_ws_mgr_redis_listen(ngx_ws_mgr_redis_t *redis,
    void (*ready)(void *data), ngx_ws_mgr_redis_heard_pt heard, void *data);

void ngx_ws_mgr_redis_script(ngx_ws_mgr_redis_script_t *script);

/*
 * Sends a command, or as soon as the server can be reached within the call's
 * timeout.  The arguments are copied; those of a script begin with the number
 * of its keys.  "done" is called once, and never under this call.  How many
 * calls there are at once is bounded by who makes them.  NGX_ERROR: no memory,
 * "done" will not be called.
 */
ngx_int_t ngx_ws_mgr_redis_call(ngx_ws_mgr_redis_t *redis,
    ngx_ws_mgr_redis_call_t *call, ngx_str_t *args, ngx_uint_t nargs);

/* "done" will not be called; what was sent may be done all the same */
void ngx_ws_mgr_redis_cancel(ngx_ws_mgr_redis_call_t *call);

/*
 * For "done": the reply is not what it has to be.  An error reply is noted as
 * the fault of the server.  Any other means that the two have lost step: the
 * connection is given up before one more reply is taken from it.
 */
void ngx_ws_mgr_redis_blame(ngx_ws_mgr_redis_t *redis, redisReply *reply);

/* for a probe: the server does what it has to do */
void ngx_ws_mgr_redis_well(ngx_ws_mgr_redis_t *redis);

/*
 * Looks at all servers of this worker, one a call; NULL at first, and in the
 * end.  "*fault" is what is wrong with it now, empty where nothing is.
 */
ngx_ws_mgr_redis_t *ngx_ws_mgr_redis_next(ngx_ws_mgr_redis_t *redis,
    ngx_str_t *name, ngx_str_t *fault);


#endif /* _NGX_WS_MGR_REDIS_H_INCLUDED_ */
