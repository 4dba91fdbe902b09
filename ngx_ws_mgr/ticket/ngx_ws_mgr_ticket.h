
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Tickets: the record (PROTOCOL section 1) and the interface of a store.
 */


#ifndef _NGX_WS_MGR_TICKET_H_INCLUDED_
#define _NGX_WS_MGR_TICKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>


#define NGX_WS_MGR_TICKET_ID       43      /* base64url of 32 bytes */
#define NGX_WS_MGR_TICKET_TTL_MIN  30      /* seconds */
#define NGX_WS_MGR_TICKET_TTL_MAX  3600
#define NGX_WS_MGR_TICKET_TTL      300
#define NGX_WS_MGR_TICKET_RECORD   8192    /* bytes of a record's JSON */
#define NGX_WS_MGR_USER_MAX        255     /* bytes of a user */


typedef enum {
    NGX_WS_MGR_TICKET_OK = 0,
    NGX_WS_MGR_TICKET_UNKNOWN,             /* malformed, never existed */
    NGX_WS_MGR_TICKET_EXPIRED,
    NGX_WS_MGR_TICKET_USED,
    NGX_WS_MGR_TICKET_UNAVAILABLE,         /* the store cannot answer */
    NGX_WS_MGR_TICKET_NO_MEMORY
} ngx_ws_mgr_ticket_result_e;


typedef struct ngx_ws_mgr_ticket_op_s  ngx_ws_mgr_ticket_op_t;

typedef void (*ngx_ws_mgr_ticket_done_pt)(ngx_ws_mgr_ticket_op_t *op);

/*
 * One operation.  The caller owns it, allocates it with "pool" and keeps
 * both until "done" was called or it called cancel().  The handler may be
 * called before the call that started the operation returns.
 */

struct ngx_ws_mgr_ticket_op_s {
    ngx_str_t                    id;       /* in: the ticket, as presented */
    ngx_pool_t                  *pool;     /* in: for what comes out */
    ngx_log_t                   *log;      /* in */
    ngx_str_t                    record;   /* issue: in; else out: JSON */
    time_t                       expires;  /* issue: in, seconds since 1970 */
    ngx_ws_mgr_ticket_done_pt    done;     /* in */
    void                        *data;     /* in: the caller's own */

    ngx_ws_mgr_ticket_result_e   result;   /* out */
    unsigned                     used:1;   /* out, of look: already used */
    void                        *store;    /* the store's own while it runs */
};


/* counts the tickets (TICKETS_…) itself */

typedef struct {
    const char  *name;                     /* "shm", "redis" */

    /* takes the ticket, or says why not; exactly one of many wins */
    void       (*consume)(ngx_ws_mgr_ticket_op_t *op);
    /* UNAVAILABLE: the record is not one, or the id is taken */
    void       (*issue)(ngx_ws_mgr_ticket_op_t *op);
    /* the record, without consuming it; of a used one there is none: USED */
    void       (*look)(ngx_ws_mgr_ticket_op_t *op);
    /* removes a live ticket, which is unknown from then on; of any other it
       says why it is not live */
    void       (*revoke)(ngx_ws_mgr_ticket_op_t *op);
    /* the caller goes away: done will not be called */
    void       (*cancel)(ngx_ws_mgr_ticket_op_t *op);
} ngx_ws_mgr_ticket_store_t;


/* what a handshake needs of a record; strings are in the op's pool */

typedef struct {
    ngx_str_t    user;
    ngx_str_t    permissions;              /* space separated */
    double       expires_at;
    unsigned     single_use:1;
} ngx_ws_mgr_ticket_t;


/* NGX_OK if it has the form of an id: 43 characters of base64url */
ngx_int_t ngx_ws_mgr_ticket_check_id(ngx_str_t *id);

/* 32 random bytes as base64url at p, which has room for 43; NGX_ERROR if the
   random generator fails */
ngx_int_t ngx_ws_mgr_ticket_make_id(u_char *p);

/*
 * Parses JSON with jansson: NGX_OK; NGX_ERROR: no memory; NGX_DECLINED: not
 * JSON, "error" says where.
 */
ngx_int_t ngx_ws_mgr_ticket_load(ngx_str_t *text, size_t flags, json_t **root,
    json_error_t *error);

/*
 * Reads the JSON of a record: user_id and expires_at are required, unknown
 * members are ignored.  NGX_OK; NGX_ERROR: no memory; NGX_DECLINED: not a
 * record, "*error" says why.
 */
ngx_int_t ngx_ws_mgr_ticket_parse(ngx_str_t *record, ngx_pool_t *pool,
    ngx_ws_mgr_ticket_t *t, const char **error);

/* for a store: whether the record to be issued could be consumed; what it
   could not is logged */
ngx_ws_mgr_ticket_result_e ngx_ws_mgr_ticket_check(ngx_ws_mgr_ticket_op_t *op,
    ngx_ws_mgr_ticket_t *t);

/* true if "name" is one of the space separated permissions */
ngx_uint_t ngx_ws_mgr_ticket_permits(ngx_str_t *permissions, ngx_str_t *name);

/* 1 to 255 bytes of UTF-8 without control characters, and not "*" */
ngx_int_t ngx_ws_mgr_ticket_check_user(ngx_str_t *user);


#endif /* _NGX_WS_MGR_TICKET_H_INCLUDED_ */
