
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One upgraded socket: taking the connection over from HTTP, the read loop,
 * writing, pings, closing.  It knows no users and no logs; what it has to
 * tell goes up through the handlers.
 */


#ifndef _NGX_WS_MGR_SESSION_H_INCLUDED_
#define _NGX_WS_MGR_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_discard.h>
#include <ngx_ws_mgr_deflate.h>
#include <ngx_ws_mgr_frame.h>


typedef struct ngx_ws_mgr_session_s  ngx_ws_mgr_session_t;


/* of the location; 0 turns an interval off */

typedef struct {
    ngx_msec_t                   ping_interval;
    ngx_msec_t                   ping_timeout;
    ngx_msec_t                   heartbeat;
    ngx_msec_t                   age;
    ngx_msec_t                   drain;    /* over how long goodbyes spread */
    size_t                       message_size;
    ngx_flag_t                   deflate;  /* may be agreed on */
    size_t                       deflate_min;  /* bytes, less goes as it is */
    ngx_uint_t                   rate;     /* messages a second */
    ngx_uint_t                   burst;
    ngx_log_t                    log;      /* of the location's sessions; its
                                              handler is NULL: of none yet */
} ngx_ws_mgr_session_conf_t;


typedef enum {
    NGX_WS_MGR_SIDE_SERVER = 0,
    NGX_WS_MGR_SIDE_CLIENT,
    NGX_WS_MGR_SIDE_LOST                   /* no close frame: reset, EOF */
} ngx_ws_mgr_side_e;

/* how logs name them */
extern const char  *ngx_ws_mgr_session_sides[];


/*
 * None of these may free the session.  Each may close it, after which only
 * leave() and end() are called.
 */

typedef struct {
    /* a whole text or binary message; the payload may be changed, and is gone
       after the call */
    void  (*message)(ngx_ws_mgr_session_t *s, ngx_uint_t opcode,
                     ngx_str_t *payload);
    /* a message came over the rate and was thrown away */
    void  (*limited)(ngx_ws_mgr_session_t *s);
    /* all that the session held back is in the kernel: write on */
    void  (*writable)(ngx_ws_mgr_session_t *s);
    /* the heartbeat is due */
    void  (*heartbeat)(ngx_ws_mgr_session_t *s);
    /* the worker goes away; reconnect_ms is this socket's share of the herd.
       Say so; the session closes itself with 1012 after the call */
    void  (*drain)(ngx_ws_mgr_session_t *s, ngx_msec_t reconnect_ms);
    /* the socket takes no more part: exactly once, on every way out, as soon
       as a close frame was sent or received or the peer is gone */
    void  (*leave)(ngx_ws_mgr_session_t *s);
    /* the TCP connection is about to be closed: exactly once, last */
    void  (*end)(ngx_ws_mgr_session_t *s);
} ngx_ws_mgr_session_handlers_t;


typedef struct ngx_ws_mgr_session_in_s   ngx_ws_mgr_session_in_t;
typedef struct ngx_ws_mgr_session_out_s  ngx_ws_mgr_session_out_t;

/*
 * Embedded first in the owner's structure; kept small: one for each socket.
 * Times are the low 32 bits of ngx_current_msec, but for "started".
 */

struct ngx_ws_mgr_session_s {
    ngx_connection_t                     *connection;
    const ngx_ws_mgr_session_handlers_t  *handlers;
    ngx_ws_mgr_session_conf_t            *conf;
    ngx_ws_mgr_frame_t                    frame;
    ngx_ws_mgr_session_in_t              *in;      /* gathered, malloc */
    ngx_ws_mgr_session_out_t             *out;     /* held back, malloc */
    ngx_msec_t                            started;
    uint64_t                              bytes_in;
    uint64_t                              bytes_out;
    uint32_t                              frames_in;
    uint32_t                              frames_out;
    uint32_t                              tokens;  /* of the rate, in 1/1000 */
    uint32_t                              filled;  /* when tokens were added */
    uint32_t                              heard;   /* last inbound frame, or
                                                      the ping unanswered */
    uint32_t                              beat;    /* last heartbeat */
    uint32_t                              bye;     /* when to drain, or to
                                                      wait no longer */
    uint16_t                              close_code;
    uint16_t                              side:2;
    uint16_t                              early:1;     /* "in" is what came
                                                          with the request */
    uint16_t                              closing:1;   /* close frame sent */
    uint16_t                              closed:1;    /* one was received, or
                                                          nothing is awaited */
    uint16_t                              left:1;      /* leave() was called */
    uint16_t                              lingering:1;
    uint16_t                              pinging:1;
    uint16_t                              draining:1;
    uint16_t                              blocked:1;   /* not writable */
    uint16_t                              paused:1;    /* not reading: too much
                                                          is held back */
    uint16_t                              dead:1;      /* end() is posted */
    uint16_t                              window:4;    /* bits of what we
                                                          compress with, 0:
                                                          not agreed on */
};


/*
 * After the 101 was sent whole: takes the connection from its request, which
 * is freed.  To be called from an event, never inside the content handler,
 * with r == r->main, r->count == 1, nothing buffered.  Returns a zeroed
 * object of "size" bytes that begins with a session, which is gone after
 * end(); bytes that came after the request are kept and will be read by
 * ngx_ws_mgr_session_start().  NULL: no memory; the request is untouched.
 *
 * The connection has a pool with TLS only.  Without, all that a session needs
 * is one block of the heap, with the address behind the object, and its log is
 * the one of the location: see ngx_ws_mgr_session_log().
 */
void *ngx_ws_mgr_session_take(ngx_http_request_t *r, size_t size,
    const ngx_ws_mgr_session_handlers_t *handlers,
    ngx_ws_mgr_session_conf_t *conf);

/*
 * The log of the session's connection, which from now on speaks of it, and of
 * what is done with it: to be called before anything that may log, since other
 * sessions may have it too.
 */

static ngx_inline ngx_log_t *
ngx_ws_mgr_session_log(ngx_ws_mgr_session_t *s, char *action)
{
    ngx_log_t         *log;
    ngx_connection_t  *c;

    c = s->connection;
    log = c->log;

    log->connection = c->number;
    log->data = c;
    log->action = action;

    return log;
}


/* permessage-deflate was agreed on in the handshake: messages may arrive
   compressed, and those that are long enough are sent so, for a window of
   that many bits */
void ngx_ws_mgr_session_deflate(ngx_ws_mgr_session_t *s, ngx_uint_t window);

/* the client's address at text, which has room for NGX_SOCKADDR_STRLEN: the
   connection of a session does not keep it as text */
void ngx_ws_mgr_session_addr(ngx_connection_t *c, u_char *text,
    ngx_str_t *addr);

/* begins to read; messages may arrive before it returns, and the owner may
   have been left.  The session is there until end(). */
void ngx_ws_mgr_session_start(ngx_ws_mgr_session_t *s);

/* true if a message of that length is to be compressed */
#define ngx_ws_mgr_session_deflates(s, len)                                   \
    ((s)->window && (len) >= (s)->conf->deflate_min                           \
     && (len) <= NGX_WS_MGR_DEFLATE_MOST)

/*
 * Sends one frame, a message compressed where that makes it smaller, or holds
 * it back.  After a failure the session ends, from
 * an event, not under the caller.  Nothing is sent once the session closes.
 */
void ngx_ws_mgr_session_send(ngx_ws_mgr_session_t *s, ngx_uint_t opcode,
    u_char *payload, size_t len);

/*
 * Sends ready frames, contiguous from start to last, whose ends (offsets
 * from start) the callback "end" gives for 0 … n-1.  Returns how many were
 * taken: sent, or begun with the rest held back (over TLS, the rest of the
 * record).  Fewer than n: the socket is not writable, and writable() will be
 * called.  May be called only while nothing is held back.
 */
ngx_uint_t ngx_ws_mgr_session_send_frames(ngx_ws_mgr_session_t *s,
    u_char *start, ngx_uint_t n, size_t (*end)(void *data, ngx_uint_t i),
    void *data);

/* one session of this worker after the other: *i, 0 at first, is where to go on
   from; NULL: no more.  Sessions may come and go meanwhile */
ngx_ws_mgr_session_t *ngx_ws_mgr_session_each(ngx_uint_t *i);

/* how it ended: RFC 6455, 7.1.5, without a close frame the code is 1006 */
#define ngx_ws_mgr_session_code(s)                                            \
    ((ngx_uint_t) ((s)->close_code ? (s)->close_code : 1006))

/* in exit_process of a worker that may not wait: a goodbye, as far as the
   kernel takes it at once, and the end */
void ngx_ws_mgr_session_stop(ngx_ws_mgr_session_t *s);

/* bytes that are held back: not in the kernel yet */
size_t ngx_ws_mgr_session_held(ngx_ws_mgr_session_t *s);

/* true if send_frames() may be called */
#define ngx_ws_mgr_session_idle(s)                                            \
    ((s)->out == NULL && !(s)->blocked && !(s)->closing && !(s)->dead)

/*
 * Sends a close frame (code 1005: an empty one), waits for the peer's answer
 * or a few seconds, lingers, closes.  leave() is called before it returns;
 * end() later, from an event.  A second call does nothing.
 */
void ngx_ws_mgr_session_close(ngx_ws_mgr_session_t *s, ngx_uint_t code,
    const char *reason);

/* the same without a goodbye, with a reset: for a peer that does not read;
   also ends the wait of a session that is being closed */
void ngx_ws_mgr_session_abort(ngx_ws_mgr_session_t *s, ngx_uint_t code);


#endif /* _NGX_WS_MGR_SESSION_H_INCLUDED_ */
