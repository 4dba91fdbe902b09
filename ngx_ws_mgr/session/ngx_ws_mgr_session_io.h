
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the noun "session" share: reading, writing, the end.  Not
 * for others.
 */


#ifndef _NGX_WS_MGR_SESSION_IO_H_INCLUDED_
#define _NGX_WS_MGR_SESSION_IO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_session.h>


#define NGX_WS_MGR_SESSION_BUFFER  65536   /* of the worker, to read into */
#define NGX_WS_MGR_SESSION_HELD    65536   /* held back: reading pauses */
#define NGX_WS_MGR_SESSION_READS   8       /* before others have their turn */
#define NGX_WS_MGR_SESSION_WAIT    5000    /* ms for the peer's close frame */
#define NGX_WS_MGR_SESSION_LINGER  2000    /* ms for the peer's EOF */
#define NGX_WS_MGR_SESSION_RECORD  16384   /* bytes of a TLS record */


#if (NGX_HTTP_SSL)
#define ngx_ws_mgr_session_tls(c)  ((c)->ssl != NULL)
#else
#define ngx_ws_mgr_session_tls(c)  0
#endif

#define ngx_ws_mgr_session_now()   ((uint32_t) ngx_current_msec)


/* a message that did not arrive at once, or what came with the request */

struct ngx_ws_mgr_session_in_s {
    ngx_ws_mgr_inflate_t  *inflate;            /* of a compressed message */
    size_t                 len;
    size_t                 size;
    size_t                 nctl;
    u_char                 ctl[NGX_WS_MGR_FRAME_CONTROL];  /* of a control
                                                              frame */
    u_char                 data[1];
};


/* what the kernel did not take */

struct ngx_ws_mgr_session_out_s {
    size_t   pos;
    size_t   last;
    size_t   size;
    size_t   npong;
    u_char   pong[NGX_WS_MGR_FRAME_CONTROL];   /* goes after the data */
    uint8_t  ponging;
    u_char   data[1];
};


/* --- session_buffer.c --- */

/* room for "size" bytes, to which "old" (or NULL) moves; NULL: no memory,
   "old" is as it was */
ngx_ws_mgr_session_in_t *ngx_ws_mgr_session_in(ngx_ws_mgr_session_in_t *old,
    size_t size, ngx_log_t *log);
/* frees what was gathered */
void ngx_ws_mgr_session_forget(ngx_ws_mgr_session_t *s);

/* --- session_timer.c --- */

/* a sign of life */
void ngx_ws_mgr_session_hear(ngx_ws_mgr_session_t *s);
/* sets the timer for what comes next */
void ngx_ws_mgr_session_schedule(ngx_ws_mgr_session_t *s);
/* ms until the interval is over */
ngx_msec_t ngx_ws_mgr_session_left(uint32_t since, ngx_msec_t interval);

/* --- session_end.c --- */

/* tells the layers above, once */
void ngx_ws_mgr_session_leave(ngx_ws_mgr_session_t *s);
/* notes and counts the cause of the end; the first one stays */
void ngx_ws_mgr_session_count(ngx_ws_mgr_session_t *s, ngx_ws_mgr_side_e side,
    ngx_uint_t code);
/* the connection is of no use: ends, from an event; leave() is not called
   before */
void ngx_ws_mgr_session_die(ngx_ws_mgr_session_t *s);
/* no memory for the session: the same as die(), counted */
void ngx_ws_mgr_session_starve(ngx_ws_mgr_session_t *s);
/* leave() where it was not, end(), and the connection is closed */
void ngx_ws_mgr_session_end(ngx_ws_mgr_session_t *s);

/* --- session_write.c --- */

/* frames of the session are gathered until uncork(), which sends them */
void ngx_ws_mgr_session_cork(ngx_ws_mgr_session_t *s);
void ngx_ws_mgr_session_uncork(ngx_ws_mgr_session_t *s);
/* bytes in order, held back where they must be */
void ngx_ws_mgr_session_write(ngx_ws_mgr_session_t *s, u_char *p, size_t len);
/* sends what was held back; NGX_AGAIN: not all, NGX_ERROR: the session dies */
ngx_int_t ngx_ws_mgr_session_unhold(ngx_ws_mgr_session_t *s);
/* the answer to a ping: the newest only, while something is held back */
void ngx_ws_mgr_session_pong(ngx_ws_mgr_session_t *s, ngx_str_t *payload);

/* --- session_close.c --- */

/* a close frame, and the wait for what follows; "side" says whose doing */
void ngx_ws_mgr_session_goodbye(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_side_e side, ngx_uint_t code, const char *reason);
/* the peer broke the rules; "reason" NULL: what the code says */
void ngx_ws_mgr_session_fault(ngx_ws_mgr_session_t *s, ngx_uint_t code,
    const char *reason);
/* lingers where the close handshake is over and nothing is held back */
void ngx_ws_mgr_session_settle(ngx_ws_mgr_session_t *s);
void ngx_ws_mgr_session_linger(ngx_ws_mgr_session_t *s);

/* --- session_message.c --- */

/* payload of the message s->frame is in, "end": its last */
void ngx_ws_mgr_session_data(ngx_ws_mgr_session_t *s, ngx_str_t *data,
    ngx_uint_t end);

/* --- session_read.c --- */

void ngx_ws_mgr_session_read(ngx_ws_mgr_session_t *s);
/* what came with the request */
void ngx_ws_mgr_session_read_early(ngx_ws_mgr_session_t *s);
/* what comes while the session lingers, until EOF */
void ngx_ws_mgr_session_discard(ngx_ws_mgr_session_t *s);

/* --- session_time.c --- */

/* the first of its timers is set */
void ngx_ws_mgr_session_begin(ngx_ws_mgr_session_t *s);
/* does what is due, sets the timer for what comes next */
void ngx_ws_mgr_session_tick(ngx_ws_mgr_session_t *s);
/* the worker goes away */
void ngx_ws_mgr_session_drain(ngx_ws_mgr_session_t *s);

/* --- session_events.c --- */

/* the handler of c->read, timers too */
void ngx_ws_mgr_session_read_handler(ngx_event_t *rev);
void ngx_ws_mgr_session_write_handler(ngx_event_t *wev);


#endif /* _NGX_WS_MGR_SESSION_IO_H_INCLUDED_ */
