
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One posted event (PROTOCOL section 4): a single pass over the bytes
 * validates the JSON (RFC 8259), finds the members that the manager reads and
 * notes what is to be cut out.  No tree, no HTTP, no shared memory.
 */


#ifndef _NGX_WS_MGR_ENVELOPE_H_INCLUDED_
#define _NGX_WS_MGR_ENVELOPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json.h>
#include <ngx_ws_mgr_event_schema.h>


#define NGX_WS_MGR_ENVELOPE_DEPTH   NGX_WS_MGR_JSON_DEPTH
#define NGX_WS_MGR_ENVELOPE_CUTS    8      /* members taken out, at most */


typedef enum {
    NGX_WS_MGR_ENVELOPE_OK = 0,
    NGX_WS_MGR_ENVELOPE_JSON,              /* 400 invalid_json */
    NGX_WS_MGR_ENVELOPE_EVENT,             /* 422 invalid_event */
    NGX_WS_MGR_ENVELOPE_MEMORY             /* the pool had none */
} ngx_ws_mgr_envelope_result_e;


typedef struct {
    u_char                        *start;
    u_char                        *end;
} ngx_ws_mgr_span_t;


/*
 * Decoded strings (escapes resolved) point into the body where it has no
 * escapes, else into the pool.  Absent: data == NULL.
 */

typedef struct {
    ngx_str_t                      type;
    ngx_str_t                      user;         /* user_id */
    ngx_str_t                      thread;       /* thread_id */
    ngx_str_t                      run;          /* run_id, root, else data */
    ngx_str_t                      event_id;
    ngx_str_t                      connection;   /* connection_id */
    ngx_str_t                      tool;         /* tool_name, root or data */
    ngx_str_t                     *users;        /* user_ids, decoded */
    ngx_str_t                     *users_raw;    /* as posted, with quotes */
    ngx_str_t                     *exclude;      /* exclude_users, decoded */
    ngx_uint_t                     nusers;
    ngx_uint_t                     nexclude;
    uint64_t                       ttl;          /* ms, 0: none */
    ngx_ws_mgr_class_e             class;
    ngx_ws_mgr_type_e              known;

    /* token_usage or tokens, at the root or in data; 0 where absent */
    uint64_t                       input_tokens;
    uint64_t                       output_tokens;
    double                         cost;

    unsigned                       to_thread:1;  /* audience is "thread" */
    unsigned                       tokens:1;     /* token usage is there */

    /* a known type's missing members, e.g. "tool_name"; NULL: none */
    const char                    *schema;

    /* where the fault is and what it is; valid unless the result is OK */
    ngx_ws_mgr_envelope_result_e   result;
    const char                    *error;        /* static text */
    ngx_str_t                      member;       /* its name, or empty */
    u_char                        *where;        /* into the body */

    /*
     * What remains after the addressing members are cut: the pieces, put
     * together, are everything after the opening brace to the closing brace,
     * with white space as posted, e.g. "\"type\":\"x\",\"a\": 1}".
     */
    size_t                         size;         /* of all pieces */
    ngx_uint_t                     npieces;
    ngx_ws_mgr_span_t              pieces[NGX_WS_MGR_ENVELOPE_CUTS + 1];
} ngx_ws_mgr_envelope_t;


/*
 * Reads one object from start to end (white space around it is legal, other
 * bytes after it are not).  The body is not changed and must outlive *e.
 * Allocates from pool only for escapes, for lists of users and for objects
 * with very many names.
 *
 * Checked here: RFC 8259 grammar, UTF-8, surrogates, names that stand twice
 * in any object, names with a NUL, depth; the members of PROTOCOL section 4:
 * their types and lengths, server-owned id, seq, ts, a known name written
 * with escapes; that user_id and user_ids, audience "thread" and
 * connection_id do not meet, that exclude_users has its "*".  Not here, since
 * the caller's settings or a query argument decide: that a user is named at
 * all, placeholders, broadcast, schema and run order modes.  user, user_ids
 * and exclude_users are checked to be users ("*" passes as user_id alone).
 *
 * A fault of the JSON goes before one of a member, wherever they stand; of
 * several of the latter the first is told.  What is JSON and not an object is
 * ENVELOPE_EVENT.  thread_id, run_id and event_id may be null, which means
 * absent; it is delivered as posted.  run_id and tool_name inside "data", and
 * token usage anywhere, are read where they are well-formed and are no fault
 * where they are not.  Of token usage the first well-formed one counts: of
 * the root before "data", there token_usage before tokens.
 */
ngx_ws_mgr_envelope_result_e ngx_ws_mgr_envelope_parse(
    ngx_ws_mgr_envelope_t *e, u_char *start, u_char *end, ngx_pool_t *pool);

/*
 * Splits {"events":[ … ]}: an object with the member "events" and without
 * "type", which every event has.  NGX_OK: *first is for envelope_next();
 * NGX_DECLINED: not such an object, envelope_parse() says what it is;
 * NGX_ERROR: e->result says.
 *
 * The wrapper is checked to its end before any event can be taken from it:
 * its other members (which pass, whatever they are), names that stand twice,
 * commas, brackets, trailing bytes.  The elements are only leapt over, by
 * their strings and brackets, for each is parsed by itself and may fail
 * alone, also as one that is not an object (ENVELOPE_EVENT).  Only e->result,
 * error, member and where are set.
 */
ngx_int_t ngx_ws_mgr_envelope_batch(ngx_ws_mgr_envelope_t *e, u_char *start,
    u_char *end, ngx_pool_t *pool, u_char **first);

/*
 * The next element at *pos: NGX_OK: *item is its span and *pos is behind it;
 * NGX_DONE: the list ended; NGX_ERROR: the list is broken here, e->result
 * says, which cannot be after envelope_batch() returned NGX_OK.
 */
ngx_int_t ngx_ws_mgr_envelope_next(ngx_ws_mgr_envelope_t *e, u_char **pos,
    u_char *end, ngx_ws_mgr_span_t *item);

/* 1-based line and column (bytes) of "where" in a body */
void ngx_ws_mgr_envelope_place(u_char *start, u_char *where,
    ngx_uint_t *line, ngx_uint_t *column);


#endif /* _NGX_WS_MGR_ENVELOPE_H_INCLUDED_ */
