
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>


static void ngx_ws_mgr_member_mark_slot(ngx_uint_t i, ngx_uint_t shard,
    ngx_ws_mgr_wake_t *wake);
static ngx_uint_t ngx_ws_mgr_member_used(ngx_ws_mgr_member_t *member);


static void  (*ngx_ws_mgr_member_waker)(ngx_uint_t slot);

ngx_ws_mgr_hold_t  ngx_ws_mgr_member_everyone;


void
ngx_ws_mgr_member_init(void (*wake)(ngx_uint_t slot))
{
    ngx_str_t           name;
    ngx_ws_mgr_hold_t  *everyone;

    ngx_ws_mgr_member_waker = wake;

    ngx_str_set(&name, "*");
    everyone = &ngx_ws_mgr_member_everyone;

    ngx_queue_init(&everyone->subs);
    everyone->member = NULL;
    everyone->shard = (uint8_t) ngx_ws_mgr_shard_index(&name);
    everyone->len = 1;
    everyone->name[0] = '*';
}


ngx_ws_mgr_hold_t *
ngx_ws_mgr_member_hold(ngx_str_t *name)
{
    ngx_ws_mgr_hold_t  *hold;

    hold = ngx_alloc(offsetof(ngx_ws_mgr_hold_t, name) + name->len,
                     ngx_cycle->log);
    if (hold == NULL) {
        return NULL;
    }

    ngx_queue_init(&hold->subs);
    hold->member = NULL;
    hold->refs = 0;
    hold->shard = (uint8_t) ngx_ws_mgr_shard_index(name);
    hold->kicked = 0;
    hold->len = (uint8_t) name->len;
    ngx_memcpy(hold->name, name->data, name->len);

    return hold;
}


ngx_int_t
ngx_ws_mgr_member_enter(ngx_str_t *name, ngx_uint_t limit)
{
    ngx_int_t             rc;
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_member_t  *member;

    rc = NGX_ERROR;
    shard = ngx_ws_mgr_member_lock_name(name, &user);

    if (user && limit && user->sockets >= limit) {
        rc = NGX_DECLINED;

    } else if (user) {
        member = ngx_ws_mgr_member_get_locked(shard, user);

        if (member) {

            if (user->log.broadcast) {
                ngx_ws_mgr_member_bind_locked(member,
                                              &ngx_ws_mgr_member_everyone);
            }

            ngx_ws_mgr_member_sockets_locked(shard, member, 1);
            rc = NGX_OK;
        }
    }

    ngx_ws_mgr_shard_unlock(shard);

    return rc;
}


void
ngx_ws_mgr_member_leave(ngx_str_t *name)
{
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_member_t  *member;

    shard = ngx_ws_mgr_shard_lock_name(name, &user);
    member = user ? ngx_ws_mgr_member_find_locked(user) : NULL;

    if (member && member->sockets) {

        if (member->hold && member->sockets == 1) {
            ngx_ws_mgr_member_unbind_locked(member->hold);
        }

        ngx_ws_mgr_member_sockets_locked(shard, member, -1);
        ngx_ws_mgr_member_release_locked(shard, member);
    }

    ngx_ws_mgr_shard_unlock(shard);
}


ngx_int_t
ngx_ws_mgr_member_wait(ngx_str_t *name, ngx_ws_mgr_member_t **member)
{
    ngx_int_t            rc;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_shard_t  *shard;

    rc = NGX_ERROR;
    shard = ngx_ws_mgr_member_lock_name(name, &user);

    if (user) {
        *member = ngx_ws_mgr_member_get_locked(shard, user);

        if (*member && (*member)->waiters < UINT16_MAX) {
            (*member)->waiters++;
            user->waiters++;
            rc = NGX_OK;
        }
    }

    ngx_ws_mgr_shard_unlock(shard);

    return rc;
}


void
ngx_ws_mgr_member_unwait(ngx_str_t *name)
{
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_member_t  *member;

    shard = ngx_ws_mgr_shard_lock_name(name, &user);
    member = user ? ngx_ws_mgr_member_find_locked(user) : NULL;

    if (member && member->waiters) {
        member->waiters--;
        user->waiters--;
        ngx_ws_mgr_member_release_locked(shard, member);
    }

    ngx_ws_mgr_shard_unlock(shard);
}


ngx_int_t
ngx_ws_mgr_member_next_dirty(ngx_uint_t index, ngx_ws_mgr_dirty_t *dirty)
{
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_member_t  *member;

    if (ngx_ws_mgr_slot == NGX_WS_MGR_NO_SLOT) {
        return NGX_DECLINED;
    }

    shard = ngx_ws_mgr_shard_at(index);

    ngx_ws_mgr_shard_lock(shard);

    for ( ;; ) {
        member = shard->dirty[ngx_ws_mgr_slot].first;

        if (member == NULL) {
            break;
        }

        shard->dirty[ngx_ws_mgr_slot].first = member->dirty;
        ngx_ws_mgr_failpoint_midst();

        if (member->dirty == NULL) {
            shard->dirty[ngx_ws_mgr_slot].last = NULL;
        }

        member->dirty = NULL;
        member->queued = 0;

        if (ngx_ws_mgr_member_used(member)) {
            dirty->hold = member->hold;
            dirty->waiting = member->waiters ? member : NULL;
            dirty->reset = member->reset;
            dirty->position.epoch = member->user->log.epoch;
            dirty->position.seq = member->user->log.floor;
            dirty->position.broadcast = member->user->log.broadcast;
            dirty->more = (shard->dirty[ngx_ws_mgr_slot].first != NULL);
            member->reset = 0;

            if (dirty->hold) {
                dirty->hold->kicked = (member->user->kicked != 0);
            }

            break;
        }

        ngx_ws_mgr_member_release_locked(shard, member);
    }

    ngx_ws_mgr_shard_unlock(shard);

    return member ? NGX_OK : NGX_DECLINED;
}


uint64_t
ngx_ws_mgr_member_take_pending(void)
{
    ngx_atomic_uint_t   old;
    ngx_ws_mgr_slot_t  *slot;

    if (ngx_ws_mgr_slot == NGX_WS_MGR_NO_SLOT) {
        return 0;
    }

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    do {
        old = slot->pending;
    } while (!ngx_atomic_cmp_set(&slot->pending, old, 0));

    /* a worker of an earlier configuration, with more shards, may take this
       one for the dead owner of its slot */

    return old & UINT64_MAX >> (64 - ngx_ws_mgr_registry_conf->nshards);
}


ngx_int_t
ngx_ws_mgr_member_read(ngx_ws_mgr_hold_t *hold, uint64_t *cursor,
    ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match, void *data)
{
    ngx_int_t            rc;
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(hold);

    if (hold->member && !hold->member->reset) {
        rc = ngx_ws_mgr_log_read(&hold->member->user->log, *cursor,
                                 ngx_ws_mgr_now(), batch, match, data);

    } else {
        ngx_ws_mgr_log_read_none(*cursor, batch);
        rc = NGX_OK;
    }

    ngx_ws_mgr_shard_unlock(shard);

    return rc;
}


ngx_uint_t
ngx_ws_mgr_member_behind(ngx_ws_mgr_hold_t *hold, uint64_t *cursor)
{
    ngx_uint_t           behind;
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(hold);
    behind = hold->member && !hold->member->reset
             && *cursor < hold->member->user->log.floor;
    ngx_ws_mgr_shard_unlock(shard);

    return behind;
}


ngx_uint_t
ngx_ws_mgr_member_passed(ngx_ws_mgr_hold_t *hold, uint64_t *cursor,
    ngx_ws_mgr_position_t *position)
{
    ngx_uint_t           passed;
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_member_lock(hold);
    passed = hold->member
             && position->epoch == hold->member->user->log.epoch
             && position->seq != 0 && position->seq <= *cursor;
    ngx_ws_mgr_shard_unlock(shard);

    return passed;
}


ngx_ws_mgr_shard_t *
ngx_ws_mgr_member_lock(ngx_ws_mgr_hold_t *hold)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_shard_at(hold->shard);
    ngx_ws_mgr_shard_lock(shard);

    return shard;
}


ngx_ws_mgr_shard_t *
ngx_ws_mgr_member_lock_name(ngx_str_t *name, ngx_ws_mgr_user_t **user)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_shard_lock_name(name, user);
    *user = ngx_ws_mgr_member_user_locked(shard, *user, name);

    return shard;
}


ngx_ws_mgr_user_t *
ngx_ws_mgr_member_user_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_str_t *name)
{
    if (user == NULL) {
        return ngx_ws_mgr_shard_create_locked(shard, name);
    }

    ngx_ws_mgr_shard_unrest_locked(shard, user);

    return user;
}


ngx_ws_mgr_member_t *
ngx_ws_mgr_member_find_locked(ngx_ws_mgr_user_t *user)
{
    ngx_ws_mgr_member_t  *member;

    for (member = user->members; member; member = member->next) {
        if (member->slot == ngx_ws_mgr_slot) {
            break;
        }
    }

    return member;
}


ngx_ws_mgr_member_t *
ngx_ws_mgr_member_get_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user)
{
    ngx_ws_mgr_member_t  *member;

    member = ngx_ws_mgr_member_find_locked(user);

    if (member) {
        return member;
    }

    member = (user->first.user == NULL)
             ? &user->first
             : ngx_ws_mgr_shard_calloc_locked(shard,
                                              sizeof(ngx_ws_mgr_member_t));
    if (member == NULL) {

        if (user->members == NULL) {
            ngx_ws_mgr_shard_rest_locked(shard, user);
        }

        return NULL;
    }

    member->user = user;
    member->slot = (uint8_t) ngx_ws_mgr_slot;
    member->next = user->members;
    user->members = member;

    return member;
}


void
ngx_ws_mgr_member_bind_locked(ngx_ws_mgr_member_t *member,
    ngx_ws_mgr_hold_t *hold)
{
    member->hold = hold;
    hold->member = member;
}


void
ngx_ws_mgr_member_unbind_locked(ngx_ws_mgr_hold_t *hold)
{
    if (hold->member) {
        hold->member->hold = NULL;
        hold->member = NULL;
    }
}


void
ngx_ws_mgr_member_release_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_member_t *member)
{
    ngx_ws_mgr_user_t     *user;
    ngx_ws_mgr_member_t  **link;

    if (ngx_ws_mgr_member_used(member) || member->queued) {
        return;
    }

    user = member->user;
    link = &user->members;

    while (*link != member) {
        link = &(*link)->next;
    }

    *link = member->next;
    ngx_ws_mgr_failpoint_midst();

    if (member == &user->first) {
        ngx_memzero(member, sizeof(ngx_ws_mgr_member_t));

    } else {
        ngx_ws_mgr_shard_free_locked(shard, member);
    }

    if (user->members == NULL) {
        ngx_ws_mgr_shard_rest_locked(shard, user);
    }
}


void
ngx_ws_mgr_member_sockets_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_member_t *member, ngx_int_t n)
{
    ngx_uint_t          before;
    ngx_ws_mgr_user_t  *user;

    user = member->user;
    before = user->sockets;

    member->sockets += n;
    user->sockets += n;

    if (!ngx_ws_mgr_member_is_user(user)) {
        return;
    }

    if (before == 0) {
        shard->nusers++;

    } else if (user->sockets == 0) {
        shard->nusers--;
    }
}


void
ngx_ws_mgr_member_mark_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_member_t *member, ngx_ws_mgr_wake_t *wake)
{
    ngx_uint_t  i;

    i = member->slot;

    if (member->queued
        || ngx_ws_mgr_node->slots[i].state != NGX_WS_MGR_SLOT_LIVE)
    {
        return;
    }

    member->queued = 1;

    if (shard->dirty[i].last) {
        shard->dirty[i].last->dirty = member;
        shard->dirty[i].last = member;
        return;
    }

    shard->dirty[i].first = member;
    shard->dirty[i].last = member;

    ngx_ws_mgr_member_mark_slot(i, shard->index, wake);
}


static void
ngx_ws_mgr_member_mark_slot(ngx_uint_t i, ngx_uint_t shard,
    ngx_ws_mgr_wake_t *wake)
{
    uint64_t            bit;
    ngx_atomic_uint_t   old;
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[i];
    bit = (uint64_t) 1 << shard;

    do {
        old = slot->pending;
    } while (!ngx_atomic_cmp_set(&slot->pending, old, old | bit));

    if (old == 0) {
        wake->bits[i / 64] |= (uint64_t) 1 << (i % 64);
    }
}


void
ngx_ws_mgr_member_alert(ngx_uint_t shard)
{
    ngx_uint_t         i;
    ngx_ws_mgr_wake_t  wake;

    ngx_memzero(&wake, sizeof(wake));

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {
        if (ngx_ws_mgr_node->slots[i].state == NGX_WS_MGR_SLOT_LIVE) {
            ngx_ws_mgr_member_mark_slot(i, shard, &wake);

            /* whoever marked it before may have died before it rang */
            wake.bits[i / 64] |= (uint64_t) 1 << (i % 64);
        }
    }

    ngx_ws_mgr_member_wake(&wake);
}


void
ngx_ws_mgr_member_mark_waiting_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_wake_t *wake)
{
    ngx_ws_mgr_member_t  *member;

    if (user->waiters == 0) {
        return;
    }

    for (member = user->members; member; member = member->next) {
        if (member->waiters) {
            ngx_ws_mgr_member_mark_locked(shard, member, wake);
        }
    }
}


void
ngx_ws_mgr_member_wake(ngx_ws_mgr_wake_t *wake)
{
    uint64_t    bits;
    ngx_uint_t  i;

    for (i = 0; i < NGX_WS_MGR_SLOTS / 64; i++) {

        if (wake->bits[i]) {
            ngx_ws_mgr_failpoint_midst();
        }

        for (bits = wake->bits[i]; bits; bits &= bits - 1) {
            ngx_ws_mgr_member_waker(i * 64 + __builtin_ctzll(bits));
        }
    }
}


static ngx_uint_t
ngx_ws_mgr_member_used(ngx_ws_mgr_member_t *member)
{
    return member->sockets || member->pending || member->waiters;
}
