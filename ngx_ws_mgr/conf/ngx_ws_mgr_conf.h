
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The configuration, as module.c reads it and the other edges use it.
 */


#ifndef _NGX_WS_MGR_CONF_H_INCLUDED_
#define _NGX_WS_MGR_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf_value.h>
#include <ngx_ws_mgr_engine_redis.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_session.h>
#include <ngx_ws_mgr_ticket.h>
#include <ngx_ws_mgr_ticket_redis.h>


#define NGX_WS_MGR_VERSION        "0.1.0"

#define NGX_WS_MGR_REFUSE_HTTP    0
#define NGX_WS_MGR_REFUSE_CLOSE   1

#define NGX_WS_MGR_OVER_REFUSE    0
#define NGX_WS_MGR_OVER_OLDEST    1

#define NGX_WS_MGR_ENGINE_SHM     0
#define NGX_WS_MGR_ENGINE_REDIS   1

#define NGX_WS_MGR_FORWARD_OFF    0
#define NGX_WS_MGR_FORWARD_ECHO   1
#define NGX_WS_MGR_FORWARD_URI    2

/* resources of ws_mgr_api */
#define NGX_WS_MGR_API_EVENTS       0x0001
#define NGX_WS_MGR_API_TICKETS      0x0002
#define NGX_WS_MGR_API_USERS        0x0004
#define NGX_WS_MGR_API_CONNECTIONS  0x0008
#define NGX_WS_MGR_API_HEALTH       0x0010
#define NGX_WS_MGR_API_STATUS       0x0020
#define NGX_WS_MGR_API_METRICS      0x0040
#define NGX_WS_MGR_API_BROADCAST    0x0080  /* only where it is named */
#define NGX_WS_MGR_API_ALL          0x007f


typedef struct {
    ngx_ws_mgr_registry_conf_t         registry;
    const ngx_ws_mgr_ticket_store_t   *store;
    ngx_ws_mgr_ticket_redis_conf_t     tickets;       /* where it is "redis" */
    ngx_array_t                       *redis;         /* ngx_ws_mgr_redis_conf_t
                                                         *; NULL: none */
    ngx_ws_mgr_engine_redis_conf_t     engine;        /* where it is "redis":
                                                         then it has servers */
    ngx_array_t                       *placeholders;  /* ngx_str_t; NULL: off */
    ngx_msec_t                         drain;
    size_t                             event_size;    /* largest of all */
    ngx_array_t                       *logs;          /* ngx_log_t *, of all
                                                         locations */
    ngx_str_t                          socket_uri;    /* of the first location
                                                         with ws_mgr_socket;
                                                         empty: none */
    ngx_http_core_srv_conf_t          *socket_server; /* where that stands */
    ngx_str_t                          site;          /* its name and port;
                                                         empty: it has none */
    in_port_t                          site_port;     /* 0: of its scheme */
    unsigned                           site_tls:1;
    unsigned                           used:1;        /* some location is */
    unsigned                           api:1;         /* some has ws_mgr_api */
    ngx_ws_mgr_value_place_t           zone_at;
    ngx_ws_mgr_value_place_t           log_at;
    ngx_ws_mgr_value_place_t           engine_at;
    ngx_ws_mgr_value_place_t           store_at;
    ngx_ws_mgr_value_place_t           socket_at;     /* the first of them */
    ngx_uint_t                         engine_type;   /* UNSET: ws_mgr_engine
                                                         is not there */
} ngx_ws_mgr_main_conf_t;


/* a location that we post to ourselves */

typedef struct {
    ngx_str_t                          uri;           /* data NULL: unset;
                                                         empty: off */
    ngx_str_t                          args;          /* of its query */
    ngx_ws_mgr_value_place_t           at;
} ngx_ws_mgr_conf_inner_t;


typedef struct {
    /* the socket */
    ngx_flag_t                         socket;        /* ws_mgr_socket here */
    ngx_http_handler_pt                handler;       /* what it, or ws_mgr_api,
                                                         gave the location */
    ngx_ws_mgr_value_place_t           at;            /* where that stands */
    ngx_array_t                       *origins;       /* ngx_ws_mgr_origin_t;
                                                         NULL: own host */
    ngx_flag_t                         any_origin;
    ngx_uint_t                         refuse;
    ngx_str_t                          permission;    /* empty: none */
    ngx_uint_t                         limit_user;    /* 0: none */
    ngx_uint_t                         limit_address;
    ngx_uint_t                         limit_total;
    ngx_uint_t                         over;
    ngx_uint_t                         forward;
    ngx_ws_mgr_conf_inner_t            forward_to;
    ngx_ws_mgr_conf_inner_t            notify;
    ngx_uint_t                         rate;      /* UNSET: session.rate goes */
    ngx_uint_t                         burst;     /* by what it is for */
    ngx_ws_mgr_session_conf_t          session;

    /* the API */
    ngx_uint_t                         api;           /* resources, 0: none */
    ngx_array_t                       *keys;          /* ngx_str_t; NULL: no
                                                         key file */
    size_t                             event_size;
    ngx_uint_t                         schema;        /* CHECK_… */
    ngx_uint_t                         run_order;
    off_t                              body_size;     /* client_max_body_size
                                                         of the location, 0:
                                                         none; we answer 413 */

    /* of the location, kept by the handshake for the line that is logged at
       the end of a session */
    void                             **main_ctx;
    void                             **srv_ctx;
    void                             **loc_ctx;
} ngx_ws_mgr_loc_conf_t;

/* the one that the configuration of a session is part of */
#define ngx_ws_mgr_conf_of_session(conf)                                      \
    ((ngx_ws_mgr_loc_conf_t *) ((u_char *) (conf)                             \
                                - offsetof(ngx_ws_mgr_loc_conf_t, session)))


extern ngx_module_t  ngx_http_ws_mgr_module;


/* what a request and, at the end, a session, have for the variables; the
   module's context of a request */

typedef struct {
    ngx_str_t                          user;          /* $ws_mgr_user */
    ngx_str_t                          connection;    /* $ws_mgr_connection */
    ngx_str_t                          refusal;       /* $ws_mgr_refusal */

    /* of the handshake: taken by its rewrite phase handler, which masks */
    ngx_str_t                          ticket;        /* data NULL: none */
    unsigned                           deprecated:1;  /* older argument name */
    unsigned                           subprotocol:1; /* ws-mgr.v1 offered */
    unsigned                           several:1;     /* that differ */
    unsigned                           masked:1;
    void                              *handshake;     /* its own state */
    void                              *body;          /* api_body's state */
} ngx_ws_mgr_ctx_t;


/* --- setters: ngx_command_t's "set", and "post" of the first three --- */

typedef struct {
    size_t                             min;
    size_t                             max;
    const char                        *use;           /* what to write */
} ngx_ws_mgr_conf_size_t;


typedef struct {
    ngx_msec_t                         min;
    ngx_msec_t                         max;
    ngx_uint_t                         off;           /* may be turned off */
    const char                        *use;
} ngx_ws_mgr_conf_time_t;


char *ngx_ws_mgr_conf_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* post: ngx_conf_enum_t [] */
char *ngx_ws_mgr_conf_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

char *ngx_ws_mgr_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_engine(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_ticket_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_placeholder_ids(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_loc_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_loc_permission(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_loc_connections(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_loc_ping(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_loc_message_rate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_forward(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_notify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_mgr_conf_loc_deflate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_loc_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_mgr_conf_loc_api_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* --- defaults and inheritance: ngx_http_module_t's --- */

void *ngx_ws_mgr_conf_create_main(ngx_conf_t *cf);
char *ngx_ws_mgr_conf_init_main(ngx_conf_t *cf, void *conf);
char *ngx_ws_mgr_conf_redis_init(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf);
void *ngx_ws_mgr_conf_create_loc(ngx_conf_t *cf);
char *ngx_ws_mgr_conf_merge_loc(ngx_conf_t *cf, void *parent, void *child);

/* of locations that we post to: one that does not exist, or that takes whatever
   no other takes, is refused; one that is open to all is warned of */
char *ngx_ws_mgr_conf_inner_check(ngx_conf_t *cf,
    ngx_ws_mgr_loc_conf_t *conf);

/* what only the whole can tell: who nobody posts to, a drain that is cut, and
   the site that ws_mgr_socket belongs to */
ngx_int_t ngx_ws_mgr_conf_whole(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf);
/* when all of the configuration was read */
void ngx_ws_mgr_conf_whole_drain(ngx_cycle_t *cycle,
    ngx_ws_mgr_main_conf_t *mcf);

/* adds the zones, if they can hold what the configuration allows */
ngx_int_t ngx_ws_mgr_conf_zones(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf);

/* at a reload: says what it means that the zone is of another size */
void ngx_ws_mgr_conf_zone_changed(ngx_conf_t *cf, ngx_ws_mgr_main_conf_t *mcf);

/* the list that PROTOCOL begins in section 4; NULL: no memory */
ngx_array_t *ngx_ws_mgr_conf_default_placeholders(ngx_pool_t *pool);


#endif /* _NGX_WS_MGR_CONF_H_INCLUDED_ */
