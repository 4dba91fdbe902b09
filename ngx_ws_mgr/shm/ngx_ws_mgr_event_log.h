
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A user's events: the queue of all its sockets.  Everything here lives in
 * the shared memory of one shard, and the caller holds that shard's lock.
 */


#ifndef _NGX_WS_MGR_EVENT_LOG_H_INCLUDED_
#define _NGX_WS_MGR_EVENT_LOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_frame.h>
#include <ngx_ws_mgr_event_schema.h>


/* "<epoch>-<seq>" or, of the broadcast log, "<epoch>-b<seq>" */
#define NGX_WS_MGR_EPOCH_LEN     13        /* base 36, below 2^63 */
#define NGX_WS_MGR_POSITION_LEN  (NGX_WS_MGR_EPOCH_LEN + 2 + NGX_INT64_LEN)


typedef struct {
    uint64_t              epoch;           /* below 2^63, never 0 */
    uint64_t              seq;
    unsigned              broadcast:1;
} ngx_ws_mgr_position_t;


/* limits of every log, of ws_mgr_log */

typedef struct {
    ngx_uint_t            events;
    size_t                bytes;
    ngx_msec_t            age;
} ngx_ws_mgr_log_limits_t;


typedef enum {
    NGX_WS_MGR_TO_USER = 0,                /* every socket of the user */
    NGX_WS_MGR_TO_THREAD,                  /* sockets that show "target" */
    NGX_WS_MGR_TO_CONNECTION,              /* "target" is 8 bytes of id */
    NGX_WS_MGR_TO_OTHERS                   /* broadcast but for "target":
                                              users, each a length byte and
                                              its bytes */
} ngx_ws_mgr_to_e;


typedef struct ngx_ws_mgr_event_s  ngx_ws_mgr_event_t;

/* immutable once it is in a log, but for the links and the flags */

struct ngx_ws_mgr_event_s {
    ngx_ws_mgr_event_t   *next;            /* in its event_id bucket */
    void                 *log;
    uint64_t              seq;
    uint64_t              ts;              /* ms since 1970 */
    uint64_t              expires;         /* ms since 1970, 0: never */
    uint32_t              hash;            /* of log and event_id */
    uint32_t              sockets;         /* matched at publish */
    uint32_t              frame;           /* bytes of the frame */
    uint32_t              posted;          /* where in it the posted begins */
    uint32_t              target_len;
    uint8_t               id_len;          /* of event_id, 0: none */
    uint8_t               to;              /* ngx_ws_mgr_to_e */
    uint8_t               class;           /* ngx_ws_mgr_class_e */
    uint8_t               unknown_sockets:1;  /* "sockets" is not known */
    uint8_t               superseded:1;    /* of class latest: the log holds a
                                              newer one */
    uint8_t               skipped:1;       /* by some socket that lagged */
    u_char                data[1];         /* frame, event_id, target; of class
                                              latest, ngx_ws_mgr_latest_t */
};


/* behind an event of class latest, aligned: what it is the latest of, beside
   its log and to whom it is */

typedef struct {
    ngx_ws_mgr_event_t   *next;            /* in its bucket */
    uint32_t              hash;
    uint8_t               run_len;         /* 0: of no run */
    uint8_t               type_len;
    u_char                data[1];         /* run_id, type */
} ngx_ws_mgr_latest_t;


typedef struct {
    ngx_ws_mgr_event_t  **ring;            /* by seq & (size - 1) */
    uint64_t              id;              /* of this log in this epoch; never
                                              given again in the life of the
                                              zones */
    uint64_t              epoch;
    uint64_t              last;            /* the highest seq given out */
    uint64_t              floor;           /* the highest seq not held */
    size_t                bytes;           /* of events held */
    uint32_t              size;            /* of ring: 0 or a power of two */
    uint8_t               broadcast;       /* ids carry a "b" */
    uint8_t               shared;          /* its order is that of an engine
                                              over many nodes */
    uint8_t               epoch_len;
    u_char                epoch_text[NGX_WS_MGR_EPOCH_LEN];
    uint32_t              since;           /* s since 1970: no event held is
                                              older; 0: not known */
} ngx_ws_mgr_log_t;


/* one event to append; spans point into the publisher's memory */

typedef struct {
    ngx_str_t            *pieces;          /* of the posted object, after its
                                              opening brace */
    ngx_uint_t            npieces;
    size_t                size;            /* of all pieces */
    ngx_str_t             user_raw;        /* to splice: JSON string with
                                              quotes; len 0: none */
    ngx_str_t             event_id;        /* len 0: none */
    ngx_str_t             type;            /* needed of class latest only, */
    ngx_str_t             run;             /* as is its run_id, len 0: none */
    ngx_str_t             target;
    ngx_uint_t            to;
    ngx_uint_t            class;
    uint64_t              ttl;             /* ms, 0: none */
    uint64_t              now;             /* ms since 1970 */
    uint64_t              seq;             /* that it is to have, 0: the next
                                              one */
} ngx_ws_mgr_entry_t;


/*
 * event_ids of all logs of a shard, in one table of fixed size, so that a
 * look-up costs the same in any log.  So are events of class latest that no
 * newer one supersedes, in a second one.
 */

typedef struct {
    ngx_ws_mgr_event_t  **buckets;
    ngx_uint_t            mask;
    ngx_ws_mgr_event_t  **latest;
    ngx_uint_t            latest_mask;
} ngx_ws_mgr_ids_t;


/* where frames are copied out to: private memory of a worker */

#define NGX_WS_MGR_BATCH_FRAMES  256
#define NGX_WS_MGR_BATCH_EVENTS  1024      /* looked at, at most */

/* skipped as their class allows, all told from the batch's first event on */

typedef struct {
    uint16_t              latest;
    uint16_t              drop;
} ngx_ws_mgr_skips_t;

typedef struct {
    u_char               *start;
    u_char               *last;            /* end of what was copied */
    u_char               *end;
    ngx_uint_t            n;               /* frames copied */
    uint64_t              log;             /* its id; 0: of no log */
    uint64_t              cursor;          /* where to read on from */
    uint64_t              skip_from;       /* in: the first seq that may be
                                              skipped; 0: none may */
    unsigned              more:1;          /* the log holds more */
    unsigned              aimed:1;         /* some were aimed at particular
                                              sockets: not to be shared */
    ngx_ws_mgr_skips_t    skips;           /* up to the cursor */
    struct {
        uint32_t          end;             /* offset behind the frame */
        ngx_ws_mgr_skips_t  skips;         /* up to the frame */
        uint64_t          seq;
        uint64_t          ts;
    } frames[NGX_WS_MGR_BATCH_FRAMES];
} ngx_ws_mgr_batch_t;


/* a socket, as far as it matters which events are meant for it */

typedef struct {
    uint64_t              number;
    u_char               *thread;          /* length byte and bytes, or NULL */
    u_char               *user;
    size_t                user_len;
} ngx_ws_mgr_who_t;


/* true if the event is meant for the socket that "data" describes */
typedef ngx_uint_t (*ngx_ws_mgr_match_pt)(ngx_ws_mgr_event_t *event,
    void *data);


/* an empty log in zeroed memory; the id is new; epoch below 2^63, not 0 */
void ngx_ws_mgr_log_init(ngx_ws_mgr_log_t *log, uint64_t id, uint64_t epoch,
    ngx_uint_t broadcast);

/* bytes of shared memory that the entry's block takes; 0: over 2^31 */
size_t ngx_ws_mgr_log_measure(ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_entry_t *entry);

/*
 * Bytes of a larger ring, where this one has no place for one more, else 0.
 * _grow() takes over zeroed memory of that size and returns the old ring, to
 * be freed, or NULL.
 */
size_t ngx_ws_mgr_log_room(ngx_ws_mgr_log_t *log);
void *ngx_ws_mgr_log_grow(ngx_ws_mgr_log_t *log, void *ring, size_t size);

/*
 * Builds the event in a block of measured size, whatever that holds, and puts
 * it at the end, or, where the seq that it is to have is the highest that is
 * gone, in front.  Cannot fail.
 */
void ngx_ws_mgr_log_append(ngx_ws_mgr_log_t *log, ngx_ws_mgr_ids_t *ids,
    ngx_ws_mgr_event_t *event, ngx_ws_mgr_entry_t *entry);

/* of an empty log: its id is new, it is of that epoch, and its next event
   behind "seq" */
void ngx_ws_mgr_log_restart(ngx_ws_mgr_log_t *log, uint64_t id, uint64_t epoch,
    uint64_t seq);

/* takes the oldest event out of log and ids; NULL: the log is empty.  The
   caller frees it. */
ngx_ws_mgr_event_t *ngx_ws_mgr_log_evict(ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_ids_t *ids);

/* the oldest event held, or NULL */
ngx_ws_mgr_event_t *ngx_ws_mgr_log_oldest(ngx_ws_mgr_log_t *log);

/* ts of the event with that seq; 0: the log does not hold it */
uint64_t ngx_ws_mgr_log_stamp(ngx_ws_mgr_log_t *log, uint64_t seq);

/* by event_id within this log, or NULL */
ngx_ws_mgr_event_t *ngx_ws_mgr_log_find(ngx_ws_mgr_log_t *log,
    ngx_ws_mgr_ids_t *ids, ngx_str_t *event_id);

/* true if the entry posts byte for byte what the event holds, to the same */
ngx_uint_t ngx_ws_mgr_log_same(ngx_ws_mgr_event_t *event,
    ngx_ws_mgr_entry_t *entry);

/*
 * Copies frames after "cursor" into the batch until it is full, enough events
 * were looked at or the log ends.  NGX_ERROR: the batch has no room for the
 * first frame.  Events that expired, or that "match" does not want, are passed
 * over; so are, from batch->skip_from on, those of class drop and those of
 * class latest that a newer one for the same run_id, type and sockets
 * supersedes.  NGX_DECLINED: the log has left the cursor behind.  NGX_OK else.
 */
ngx_int_t ngx_ws_mgr_log_read(ngx_ws_mgr_log_t *log, uint64_t cursor,
    uint64_t now, ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match,
    void *data);

/* a batch of no log, and of nothing */
void ngx_ws_mgr_log_read_none(uint64_t cursor, ngx_ws_mgr_batch_t *batch);

/* events held after cursor that "match" wants */
ngx_uint_t ngx_ws_mgr_log_matching(ngx_ws_mgr_log_t *log, uint64_t cursor,
    uint64_t now, ngx_ws_mgr_match_pt match, void *data);

/* the text of a position; returns its end, POSITION_LEN bytes at most */
u_char *ngx_ws_mgr_log_position(u_char *p, ngx_ws_mgr_position_t *position);

/* NGX_ERROR: malformed */
ngx_int_t ngx_ws_mgr_log_position_parse(ngx_str_t *text,
    ngx_ws_mgr_position_t *position);

/* bytes of the event's block */
size_t ngx_ws_mgr_event_size(ngx_ws_mgr_event_t *event);

#define ngx_ws_mgr_event_id(event)      ((event)->data + (event)->frame)
#define ngx_ws_mgr_event_target(event)                                        \
    ((event)->data + (event)->frame + (event)->id_len)


#endif /* _NGX_WS_MGR_EVENT_LOG_H_INCLUDED_ */
