
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
    ngx_uint_t                   rate;     /* messages a second */
    ngx_uint_t                   burst;
} ngx_ws_mgr_session_conf_t;


typedef enum {
    NGX_WS_MGR_SIDE_SERVER = 0,
    NGX_WS_MGR_SIDE_CLIENT,
    NGX_WS_MGR_SIDE_LOST                   /* no close frame: reset, EOF */
} ngx_ws_mgr_side_e;


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


/* embedded first in the owner's structure; kept small: one for each socket */

struct ngx_ws_mgr_session_s {
    ngx_connection_t                     *connection;
    const ngx_ws_mgr_session_handlers_t  *handlers;
    ngx_ws_mgr_session_conf_t            *conf;
    ngx_ws_mgr_frame_t                    frame;
    u_char                               *in;      /* message so far, malloc */
    uint32_t                              in_len;
    uint32_t                              in_size;
    u_char                               *out;     /* held back, malloc */
    uint32_t                              out_pos;
    uint32_t                              out_last;
    uint32_t                              out_size;
    uint32_t                              tokens;  /* of the rate, in 1/1000 */
    ngx_msec_t                            filled;  /* when tokens were added */
    ngx_msec_t                            started;
    ngx_msec_t                            heard;   /* last inbound frame */
    ngx_msec_t                            pinged;  /* ping unanswered since */
    ngx_msec_t                            beat;    /* next heartbeat */
    ngx_msec_t                            bye;     /* when to drain */
    uint64_t                              bytes_in;
    uint64_t                              bytes_out;
    uint32_t                              frames_in;
    uint32_t                              frames_out;
    uint16_t                              close_code;
    unsigned                              side:2;
    unsigned                              closing:1;   /* close frame sent */
    unsigned                              closed:1;    /* one was received */
    unsigned                              left:1;      /* leave() was called */
    unsigned                              lingering:1;
    unsigned                              pinging:1;
    unsigned                              draining:1;
    unsigned                              blocked:1;   /* not writable */
    unsigned                              paused:1;    /* not reading: too much
                                                          is held back */
};


/*
 * After the 101 was sent whole: takes the connection from its request, which
 * is freed.  To be called from an event, never inside the content handler,
 * with r == r->main, r->count == 1, nothing buffered.  Returns a zeroed
 * object of "size" bytes that begins with a session, in the connection's own
 * pool, which here becomes as small as can be where there is no TLS; bytes
 * that came after the request are kept and will be read by
 * ngx_ws_mgr_session_start().  NULL: no memory; the request is untouched.
 */
void *ngx_ws_mgr_session_take(ngx_http_request_t *r, size_t size,
    const ngx_ws_mgr_session_handlers_t *handlers,
    ngx_ws_mgr_session_conf_t *conf);

/* begins to read; messages may arrive before it returns.  The session may be
   gone when it returns NGX_ERROR. */
ngx_int_t ngx_ws_mgr_session_start(ngx_ws_mgr_session_t *s);

/*
 * Sends one frame or holds it back.  After a failure the session ends, from
 * an event, not under the caller.
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

/* true if send_frames() may be called */
#define ngx_ws_mgr_session_idle(s)                                            \
    ((s)->out == NULL && !(s)->blocked && !(s)->left)

/*
 * Sends a close frame (code 1005: an empty one), waits for the peer's answer
 * or a few seconds, lingers, closes.  leave() is called before it returns;
 * end() later, from an event.  A second call does nothing.
 */
void ngx_ws_mgr_session_close(ngx_ws_mgr_session_t *s, ngx_uint_t code,
    const char *reason);

/* the same without a goodbye, with a reset: for a peer that does not read */
void ngx_ws_mgr_session_abort(ngx_ws_mgr_session_t *s, ngx_uint_t code);


#endif /* _NGX_WS_MGR_SESSION_H_INCLUDED_ */
