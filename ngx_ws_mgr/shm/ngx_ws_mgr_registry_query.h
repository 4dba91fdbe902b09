
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Looking at the registry: everything is copied out, in bounded pieces, and
 * nothing is changed, but that what is too old leaves its log.
 */


#ifndef _NGX_WS_MGR_REGISTRY_QUERY_H_INCLUDED_
#define _NGX_WS_MGR_REGISTRY_QUERY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_registry.h>


/* one connection, copied out */

typedef struct {
    uint64_t                 number;
    uint64_t                 ordinal;      /* to read on from */
    uint64_t                 sent;
    uint64_t                 confirmed;
    uint64_t                 since;
    uint64_t                 bytes_in;
    uint64_t                 bytes_out;
    ngx_uint_t               slot;
    ngx_uint_t               kick;
    ngx_uint_t               open;
    ngx_str_t                thread;       /* in thread_data */
    u_char                   thread_data[255];
    ngx_ws_mgr_position_t    position;     /* the end of the user's log */
    ngx_str_t                user;         /* in user_data */
    u_char                   user_data[255];
} ngx_ws_mgr_conn_info_t;


typedef struct {
    ngx_ws_mgr_position_t    position;     /* the end of the log */
    uint64_t                 floor;
    ngx_uint_t               events;
    size_t                   bytes;
    ngx_uint_t               connections;
    ngx_uint_t               workers;
    uint64_t                 touched;
    uint64_t                 stamp;        /* ts of the last event, 0: none */
    ngx_uint_t               shared;       /* as the log's */
} ngx_ws_mgr_user_info_t;


typedef struct {
    ngx_str_t                id;           /* in id_data */
    u_char                   id_data[255];
    uint64_t                 last;
    uint64_t                 events;
    ngx_ws_mgr_tokens_t      tokens;
    ngx_uint_t               started;
    ngx_uint_t               ended;
} ngx_ws_mgr_run_info_t;


typedef struct {
    ngx_uint_t               users;        /* with a socket */
    ngx_uint_t               connections;
    ngx_uint_t               open;         /* of them, routable */
    ngx_uint_t               closing;      /* of them, asked to go */
    ngx_uint_t               logs;
    ngx_uint_t               events;
    ngx_uint_t               event_bytes;
    ngx_uint_t               tickets;
    ngx_uint_t               ticket_bytes;
    size_t                   size;         /* of the zones */
    size_t                   free;         /* in whole pages */
} ngx_ws_mgr_usage_t;


/* NGX_DECLINED: no such connection, or user */
ngx_int_t ngx_ws_mgr_census_conn_info(uint64_t number,
    ngx_ws_mgr_conn_info_t *info);
ngx_int_t ngx_ws_mgr_census_user_info(ngx_str_t *user,
    ngx_ws_mgr_user_info_t *info);

/* the user's connections with an ordinal above "after" (0: all), oldest first,
   at most n; returns how many */
ngx_uint_t ngx_ws_mgr_census_user_conns(ngx_str_t *user, uint64_t after,
    ngx_ws_mgr_conn_info_t *info, ngx_uint_t n);
/* the user's runs, newest first */
ngx_uint_t ngx_ws_mgr_census_user_runs(ngx_str_t *user,
    ngx_ws_mgr_run_info_t *info, ngx_uint_t n);

typedef struct {
    uint32_t                 hash;
    ngx_str_t                name;
    ngx_uint_t               connections;
} ngx_ws_mgr_user_name_t;

/*
 * Users of the shard with a socket, behind the one that *after names (hash 0
 * and an empty name: from the start), at most *n, which becomes the number
 * found.  *after, whose name has room for 255 bytes, moves on to where the
 * look ended: NGX_AGAIN: there may be more behind it, also where *n is 0;
 * NGX_OK: there is not; NGX_ERROR: no memory in the pool for names.
 */
ngx_int_t ngx_ws_mgr_census_users(ngx_uint_t shard,
    ngx_ws_mgr_user_name_t *after, ngx_ws_mgr_user_name_t *names,
    ngx_uint_t *n, ngx_pool_t *pool);

/* ngx_ws_mgr_log_read() of any user's log, that skips nothing; NGX_ABORT: there
   is no such user */
ngx_int_t ngx_ws_mgr_census_read_user(ngx_str_t *user, uint64_t cursor,
    ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match, void *data);

/* an event of the user's log, without what was posted */

typedef struct {
    uint64_t                 seq;
    ngx_uint_t               to;
    ngx_str_t                target;       /* in target_data; of a broadcast
                                              empty */
    u_char                   target_data[255];
} ngx_ws_mgr_event_info_t;

/* by event_id; NGX_DECLINED: there is none */
ngx_int_t ngx_ws_mgr_census_event_info(ngx_str_t *user, ngx_str_t *event_id,
    ngx_ws_mgr_event_info_t *info);

void ngx_ws_mgr_census_usage(ngx_ws_mgr_usage_t *usage);

/* token totals of the node */
void ngx_ws_mgr_census_tokens(ngx_ws_mgr_tokens_t *tokens);


#endif /* _NGX_WS_MGR_REGISTRY_QUERY_H_INCLUDED_ */
