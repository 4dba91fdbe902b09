
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What a member of an event may be (PROTOCOL section 4): a reader for each
 * kind, which takes the value at j->pos and says what was expected.
 */


#ifndef _NGX_WS_MGR_EVENT_FIELD_H_INCLUDED_
#define _NGX_WS_MGR_EVENT_FIELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json.h>


#define NGX_WS_MGR_FIELD_ID     255        /* bytes of an id, of a user */
#define NGX_WS_MGR_FIELD_TYPE   64         /* bytes of a type */
#define NGX_WS_MGR_FIELD_USERS  1000       /* of a list */
#define NGX_WS_MGR_FIELD_TTL    86400000   /* ms */

#define NGX_WS_MGR_FIELD_ESCAPED  "reserved name, written with escapes"


typedef struct {
    ngx_str_t      *users;                 /* decoded */
    ngx_str_t      *raw;                   /* as posted, with quotes */
    ngx_uint_t      n;
    u_char         *at;                    /* the member's name, or NULL */
} ngx_ws_mgr_field_users_t;


typedef struct {
    ngx_uint_t      n;                     /* which of the words */
    u_char         *at;                    /* the member's name, or NULL */
} ngx_ws_mgr_field_word_t;


typedef struct {
    uint64_t        tokens[2];             /* input, output; 0 if absent */
    double          cost;
    unsigned        present:1;             /* one of them is there */
} ngx_ws_mgr_field_usage_t;


typedef struct {
    u_char         *where;
    const char     *error;                 /* static text */
} ngx_ws_mgr_field_fault_t;


/*
 * Readers.  NGX_OK; NGX_DECLINED: the value is valid JSON but not what is
 * expected, *dst is untouched and *fault says why; NGX_ERROR: j says why.
 * Strings are decoded, and are in the text or in the pool.
 */

typedef ngx_int_t (*ngx_ws_mgr_field_read_pt)(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* anything; dst is not used */
ngx_int_t ngx_ws_mgr_field_any(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* id, seq, ts: never expected */
ngx_int_t ngx_ws_mgr_field_owned(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* ngx_str_t: 1 to 64 of [A-Za-z0-9_.:-] */
ngx_int_t ngx_ws_mgr_field_type(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* ngx_str_t: 1 to 255 bytes without control characters; null where optional,
   which leaves *dst as it is */
ngx_int_t ngx_ws_mgr_field_id(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);
ngx_int_t ngx_ws_mgr_field_optional_id(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* ngx_str_t: a string; anything else leaves *dst as it is */
ngx_int_t ngx_ws_mgr_field_text(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* ngx_ws_mgr_field_users_t: an array of 0 to 1000 different ids without "*" */
ngx_int_t ngx_ws_mgr_field_users(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* ngx_ws_mgr_field_word_t: 0 "user", 1 "thread" */
ngx_int_t ngx_ws_mgr_field_audience(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* ngx_ws_mgr_field_word_t: 0 "must", 1 "latest", 2 "drop" */
ngx_int_t ngx_ws_mgr_field_class(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/* uint64_t: 1 to 86400000 */
ngx_int_t ngx_ws_mgr_field_ttl(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);

/*
 * ngx_ws_mgr_field_usage_t: an object with one or more of input_tokens,
 * output_tokens, cost, all of them numbers that are not negative or null.
 * What is not so leaves *dst as it is; only an escaped name is a fault.
 */
ngx_int_t ngx_ws_mgr_field_usage(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault);


#endif /* _NGX_WS_MGR_EVENT_FIELD_H_INCLUDED_ */
