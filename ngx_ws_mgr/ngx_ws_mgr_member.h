
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


/* slots whose workers are to be woken once no lock is held */

typedef struct {
    uint64_t                 bits[NGX_WS_MGR_SLOTS / 64];
} ngx_ws_mgr_wake_t;


/* "wake" is called, without any lock, for each slot whose worker is to look
   at its dirty members */
void ngx_ws_mgr_member_init(void (*wake)(ngx_uint_t slot));

/*
 * Adds a socket of this worker to the name's count, where "limit" (0: none)
 * allows it.  NGX_DECLINED: it does not; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_member_enter(ngx_str_t *name, ngx_uint_t limit,
    ngx_ws_mgr_member_t **member);
void ngx_ws_mgr_member_leave(ngx_ws_mgr_member_t *member);

/* a wait of this worker for changes of the user; created where unknown.
   NGX_ERROR: no memory */
ngx_int_t ngx_ws_mgr_member_wait(ngx_str_t *name,
    ngx_ws_mgr_member_t **member);
void ngx_ws_mgr_member_unwait(ngx_ws_mgr_member_t *member);

/* wakes the workers that wait for changes of the user; cheap where none do:
   to be called after a change of conn->sent or conn->confirmed */
void ngx_ws_mgr_member_changed(ngx_ws_mgr_member_t *member);

/* takes the set of shards to look at, a bit each */
uint64_t ngx_ws_mgr_member_take_pending(void);

/*
 * The next of this worker's dirty members in the shard, now clean; NULL: no
 * more.  It stays valid until the worker leaves it.
 */
ngx_ws_mgr_member_t *ngx_ws_mgr_member_next_dirty(ngx_uint_t shard);

/* ngx_ws_mgr_log_read() of the member's user */
ngx_int_t ngx_ws_mgr_member_read(ngx_ws_mgr_member_t *member,
    uint64_t cursor, ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match,
    void *data);


/* --- for the nouns above that change a user under its lock --- */

/* locks the shard of a user that something holds */
ngx_ws_mgr_shard_t *ngx_ws_mgr_member_lock(ngx_ws_mgr_user_t *user);

/* locks the name's shard; *user is made where it is unknown, and not resting,
   or NULL: no memory */
ngx_ws_mgr_shard_t *ngx_ws_mgr_member_lock_name(ngx_str_t *name,
    ngx_ws_mgr_user_t **user);

/* this worker's record with the user.  NULL: no memory; a user without
   members then rests, or is gone */
ngx_ws_mgr_member_t *ngx_ws_mgr_member_get_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);

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
