
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The record (user, worker): how many sockets a worker has for a user, who
 * waits there, and whether it has yet to look at the user's log.
 *
 * A user is a name with members and, mostly, a log.  Besides the users of
 * tickets there are names that no ticket can carry: "*", whose log is the
 * broadcast log and whose members are all workers with sockets, and a NUL
 * followed by a binary address, whose members count its sockets.
 *
 * A function locks one shard and leaves it unlocked, unless its name ends in
 * _locked: then the caller holds the lock of the arguments' shard.
 */


#ifndef _NGX_WS_MGR_MEMBER_H_INCLUDED_
#define _NGX_WS_MGR_MEMBER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_shard.h>


#define NGX_WS_MGR_HOLD_REFS  ((1 << 17) - 1)  /* places, at most */

/*
 * The worker's own side of a member, in the worker's memory: whoever reads
 * the user's log here.  What points into a shard from outside of it, as
 * "member" does, is read under the shard's lock and not kept beyond; it is NULL
 * once the shard was lost (ngx_ws_mgr_shard_on_loss()).
 */

typedef struct {
    ngx_queue_t              subs;         /* the reader's own */
    ngx_ws_mgr_member_t     *member;       /* under the lock */
    uint32_t                 refs:17;      /* places that have it */
    uint32_t                 shard:6;
    uint32_t                 kicked:1;     /* when it was last taken out of the
                                              dirty queue, connections of the
                                              user were to be closed */
    uint32_t                 len:8;
    u_char                   name[1];
} ngx_ws_mgr_hold_t;


/* slots whose workers are to be woken once no lock is held */

typedef struct {
    uint64_t                 bits[NGX_WS_MGR_SLOTS / 64];
} ngx_ws_mgr_wake_t;


/* "wake" is called, without any lock, for each slot whose worker is to look
   at its dirty members */
void ngx_ws_mgr_member_init(void (*wake)(ngx_uint_t slot));

/* the hold of "*" */
extern ngx_ws_mgr_hold_t  ngx_ws_mgr_member_everyone;

/* a hold of nobody yet; NULL: no memory.  To be freed by ngx_free() */
ngx_ws_mgr_hold_t *ngx_ws_mgr_member_hold(ngx_str_t *name);

/*
 * Adds a socket of this worker to the name's count, where "limit" (0: none)
 * allows it.  NGX_DECLINED: it does not; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_member_enter(ngx_str_t *name, ngx_uint_t limit);
void ngx_ws_mgr_member_leave(ngx_str_t *name);

/* a wait of this worker for changes of the user; created where unknown.  The
   member is one that only tells which.  NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_member_wait(ngx_str_t *name,
    ngx_ws_mgr_member_t **member);
void ngx_ws_mgr_member_unwait(ngx_str_t *name);

/* takes the set of shards to look at, a bit each */
uint64_t ngx_ws_mgr_member_take_pending(void);

/* a member of this worker that was dirty */

typedef struct {
    ngx_ws_mgr_hold_t       *hold;         /* NULL: no sockets */
    ngx_ws_mgr_member_t     *waiting;      /* of waits for it; NULL: none */
    ngx_uint_t               reset;        /* RESET_…: all cursors are to be
                                              set to "position" before
                                              anything is read; 0: none is */
    ngx_ws_mgr_position_t    position;
    unsigned                 more:1;       /* the shard has others of them */
} ngx_ws_mgr_dirty_t;

/* the next of this worker's dirty members in the shard, now clean;
   NGX_DECLINED: no more */
ngx_int_t ngx_ws_mgr_member_next_dirty(ngx_uint_t shard,
    ngx_ws_mgr_dirty_t *dirty);

/* tells every worker to look at the shard */
void ngx_ws_mgr_member_alert(ngx_uint_t shard);

/* ngx_ws_mgr_log_read() of the hold's user; nothing where that was lost, or
   where cursors are to be reset first */
ngx_int_t ngx_ws_mgr_member_read(ngx_ws_mgr_hold_t *hold, uint64_t *cursor,
    ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match, void *data);

/* true if the log has left the cursor behind */
ngx_uint_t ngx_ws_mgr_member_behind(ngx_ws_mgr_hold_t *hold,
    uint64_t *cursor);

/* true if the position is one of the log, with a seq of at most the cursor */
ngx_uint_t ngx_ws_mgr_member_passed(ngx_ws_mgr_hold_t *hold,
    uint64_t *cursor, ngx_ws_mgr_position_t *position);


/* --- for the nouns above that change a user under its lock --- */

/* locks the shard of the hold's user */
ngx_ws_mgr_shard_t *ngx_ws_mgr_member_lock(ngx_ws_mgr_hold_t *hold);

/* locks the name's shard; *user is made where it is unknown, and not resting,
   or NULL: no memory */
ngx_ws_mgr_shard_t *ngx_ws_mgr_member_lock_name(ngx_str_t *name,
    ngx_ws_mgr_user_t **user);

/* the same of a name that was looked for: the user, or NULL */
ngx_ws_mgr_user_t *ngx_ws_mgr_member_user_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_str_t *name);

/* this worker's record with the user, or NULL */
ngx_ws_mgr_member_t *ngx_ws_mgr_member_find_locked(ngx_ws_mgr_user_t *user);

/* the same; it is made where there is none.  NULL: no memory; a user without
   members then rests, or is gone */
ngx_ws_mgr_member_t *ngx_ws_mgr_member_get_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);

/* the hold is that of the member from now on */
void ngx_ws_mgr_member_bind_locked(ngx_ws_mgr_member_t *member,
    ngx_ws_mgr_hold_t *hold);

/* of none, in case it was one */
void ngx_ws_mgr_member_unbind_locked(ngx_ws_mgr_hold_t *hold);

/* frees a member that nothing holds; a queued one goes when it is taken out
   of the queue.  The last one takes its user to rest */
void ngx_ws_mgr_member_release_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_member_t *member);

/* adds n, which may be negative, to the sockets of member and user */
void ngx_ws_mgr_member_sockets_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_member_t *member, ngx_int_t n);

/* puts the member into its worker's dirty queue.  A worker that is not there
   any more is not told: its members are being swept */
void ngx_ws_mgr_member_mark_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_member_t *member, ngx_ws_mgr_wake_t *wake);

/* the same for all members of the user with waiters */
void ngx_ws_mgr_member_mark_waiting_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_wake_t *wake);

/* rings; no lock is held */
void ngx_ws_mgr_member_wake(ngx_ws_mgr_wake_t *wake);

/* of a ticket; neither an address nor the broadcast log */
#define ngx_ws_mgr_member_is_user(user)                                       \
    ((user)->name[0] != '\0'                                                  \
     && !((user)->len == 1 && (user)->name[0] == '*'))



#endif /* _NGX_WS_MGR_MEMBER_H_INCLUDED_ */
