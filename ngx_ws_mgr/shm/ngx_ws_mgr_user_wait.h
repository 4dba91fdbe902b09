
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Waiting for a change of a user, without polling.
 */


#ifndef _NGX_WS_MGR_USER_WAIT_H_INCLUDED_
#define _NGX_WS_MGR_USER_WAIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>


/*
 * A wait of this worker for a change of a user: a socket online, an event
 * sent or confirmed.  "changed" is called from the event loop after each
 * change, and may be called without one; it looks for itself and, where it
 * has what it waits for, calls unwait.
 */

typedef struct ngx_ws_mgr_wait_s  ngx_ws_mgr_wait_t;

struct ngx_ws_mgr_wait_s {
    ngx_queue_t             queue;
    ngx_str_t               user;
    ngx_ws_mgr_member_t    *member;        /* of the user: which, no more;
                                              NULL: lost with its shard */
    unsigned                waiting:1;
    void                  (*changed)(ngx_ws_mgr_wait_t *wait);
    void                   *data;
};

void ngx_ws_mgr_wait_init(void);

/* true where nothing waits in this worker */
ngx_uint_t ngx_ws_mgr_wait_none(void);

/* in a worker with a slot.  The bytes of the user's name stay until the end.
   NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_wait_begin(ngx_ws_mgr_wait_t *wait, ngx_str_t *user);
/* idempotent */
void ngx_ws_mgr_wait_end(ngx_ws_mgr_wait_t *wait);

/* the shard's members are gone; and the waits for them begin again, where there
   is memory, after "changed" was called */
void ngx_ws_mgr_wait_lose(ngx_uint_t shard);
void ngx_ws_mgr_wait_resume(void);

/* calls all that wait for the user, of whom something is known elsewhere */
void ngx_ws_mgr_wait_stir(ngx_str_t *user);

/* calls all that wait for changes of the member's user */
void ngx_ws_mgr_wait_serve(ngx_ws_mgr_member_t *member);


#endif /* _NGX_WS_MGR_USER_WAIT_H_INCLUDED_ */
