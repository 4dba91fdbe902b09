
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry_query.h>


static ngx_ws_mgr_shard_t *ngx_ws_mgr_census_lock(ngx_str_t *name,
    ngx_ws_mgr_user_t **user);
static void ngx_ws_mgr_census_copy_conn(ngx_ws_mgr_conn_t *conn,
    ngx_ws_mgr_conn_info_t *info);


ngx_int_t
ngx_ws_mgr_census_conn_info(uint64_t number, ngx_ws_mgr_conn_info_t *info)
{
    ngx_uint_t           i;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_shard_t  *shard;

    for (i = 0; i < ngx_ws_mgr_registry_conf->nshards; i++) {
        shard = ngx_ws_mgr_shard_at(i);

        ngx_ws_mgr_shard_lock(shard);

        conn = ngx_ws_mgr_registry_find_locked(shard, number);

        if (conn) {
            ngx_ws_mgr_census_copy_conn(conn, info);
        }

        ngx_ws_mgr_shard_unlock(shard);

        if (conn) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_ws_mgr_census_user_info(ngx_str_t *name, ngx_ws_mgr_user_info_t *info)
{
    ngx_ws_mgr_user_t    *user;
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_member_t  *member;

    shard = ngx_ws_mgr_census_lock(name, &user);

    if (user) {
        info->position.epoch = user->log.epoch;
        info->position.seq = user->log.last;
        info->position.broadcast = user->log.broadcast;
        info->floor = user->log.floor;
        info->events = user->log.last - user->log.floor;
        info->bytes = user->log.bytes;
        info->connections = user->sockets;
        info->touched = user->touched;
        info->shared = user->log.shared;
        info->stamp = ngx_ws_mgr_log_stamp(&user->log, user->log.last);
        info->workers = 0;

        for (member = user->members; member; member = member->next) {
            info->workers += member->sockets > 0;
        }
    }

    ngx_ws_mgr_shard_unlock(shard);

    return user ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_ws_mgr_census_user_conns(ngx_str_t *name, uint64_t after,
    ngx_ws_mgr_conn_info_t *info, ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_queue_t         *q;
    ngx_ws_mgr_conn_t   *conn;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_shard_t  *shard;

    i = 0;
    shard = ngx_ws_mgr_census_lock(name, &user);

    if (user == NULL || user->nconns == 0) {
        goto done;
    }

    for (q = ngx_queue_head(&user->conns);
         i < n && q != ngx_queue_sentinel(&user->conns);
         q = ngx_queue_next(q))
    {
        conn = ngx_queue_data(q, ngx_ws_mgr_conn_t, queue);

        if (conn->ordinal > after) {
            ngx_ws_mgr_census_copy_conn(conn, &info[i++]);
        }
    }

done:

    ngx_ws_mgr_shard_unlock(shard);

    return i;
}


ngx_uint_t
ngx_ws_mgr_census_user_runs(ngx_str_t *name, ngx_ws_mgr_run_info_t *info,
    ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_queue_t         *q;
    ngx_ws_mgr_run_t    *run;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_shard_t  *shard;

    i = 0;
    shard = ngx_ws_mgr_census_lock(name, &user);

    if (user == NULL || user->runs == NULL) {
        goto done;
    }

    for (q = ngx_queue_head(&user->runs->queue);
         i < n && q != ngx_queue_sentinel(&user->runs->queue);
         q = ngx_queue_next(q), i++)
    {
        run = ngx_queue_data(q, ngx_ws_mgr_run_t, queue);

        info[i].id.len = run->len;
        info[i].id.data = info[i].id_data;
        ngx_memcpy(info[i].id_data, run->id, run->len);
        info[i].last = run->last;
        info[i].events = run->events;
        info[i].tokens = run->tokens;
        info[i].started = run->started;
        info[i].ended = run->ended;
    }

done:

    ngx_ws_mgr_shard_unlock(shard);

    return i;
}


ngx_int_t
ngx_ws_mgr_census_users(ngx_uint_t index, ngx_ws_mgr_user_name_t *after,
    ngx_ws_mgr_user_name_t *names, ngx_uint_t *n, ngx_pool_t *pool)
{
    u_char              *p, *last;
    ngx_uint_t           i, budget;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_shard_t  *shard;

    /* nothing is allocated under the lock */

    p = ngx_pnalloc(pool, *n * 255);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = p;
    budget = *n + NGX_WS_MGR_SLICE;

    shard = ngx_ws_mgr_shard_at(index);

    ngx_ws_mgr_shard_lock(shard);

    user = ngx_ws_mgr_shard_behind(shard, after->hash, &after->name);

    for (i = 0; user && i < *n && budget; budget--) {
        after->hash = user->hash;
        after->name.len = user->len;
        ngx_memcpy(after->name.data, user->name, user->len);

        if (user->sockets && ngx_ws_mgr_member_is_user(user)) {
            names[i].hash = user->hash;
            names[i].connections = user->sockets;
            names[i].name.data = last;
            names[i].name.len = user->len;
            last = ngx_cpymem(last, user->name, user->len);
            i++;
        }

        user = ngx_ws_mgr_shard_next(shard, user);
    }

    ngx_ws_mgr_shard_unlock(shard);

    *n = i;

    return user ? NGX_AGAIN : NGX_OK;
}


ngx_int_t
ngx_ws_mgr_census_read_user(ngx_str_t *name, uint64_t cursor,
    ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match, void *data)
{
    ngx_int_t            rc;
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_shard_t  *shard;

    rc = NGX_ABORT;
    batch->skip_from = 0;
    shard = ngx_ws_mgr_census_lock(name, &user);

    if (user) {
        rc = ngx_ws_mgr_log_read(&user->log, cursor, ngx_ws_mgr_now(), batch,
                                 match, data);
    }

    ngx_ws_mgr_shard_unlock(shard);

    return rc;
}


ngx_int_t
ngx_ws_mgr_census_event_info(ngx_str_t *name, ngx_str_t *event_id,
    ngx_ws_mgr_event_info_t *info)
{
    ngx_ws_mgr_user_t   *user;
    ngx_ws_mgr_event_t  *event;
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_shard_lock_name(name, &user);

    event = user ? ngx_ws_mgr_log_find(&user->log, &shard->ids, event_id)
                 : NULL;

    if (event) {
        info->seq = event->seq;
        info->to = event->to;
        info->target.data = info->target_data;
        info->target.len = event->to == NGX_WS_MGR_TO_OTHERS
                           ? 0 : event->target_len;
        ngx_memcpy(info->target_data, ngx_ws_mgr_event_target(event),
                   info->target.len);
    }

    ngx_ws_mgr_shard_unlock(shard);

    return event ? NGX_OK : NGX_DECLINED;
}


void
ngx_ws_mgr_census_usage(ngx_ws_mgr_usage_t *usage)
{
    ngx_uint_t           i;
    ngx_ws_mgr_shard_t  *shard;

    ngx_memzero(usage, sizeof(ngx_ws_mgr_usage_t));

    for (i = 0; i < ngx_ws_mgr_registry_conf->nshards; i++) {
        shard = ngx_ws_mgr_shard_at(i);

        ngx_ws_mgr_shard_lock(shard);

        usage->users += shard->nusers;
        usage->connections += shard->nconns;
        usage->open += shard->nopen;
        usage->closing += shard->nkicked;
        usage->logs += shard->nlogs;
        usage->events += shard->nevents;
        usage->event_bytes += shard->nbytes;
        usage->tickets += shard->ntickets;
        usage->ticket_bytes += shard->ticket_bytes;
        usage->size += shard->pool->end - (u_char *) shard->pool;
        usage->free += shard->pool->pfree * ngx_pagesize;

        ngx_ws_mgr_shard_unlock(shard);
    }
}


void
ngx_ws_mgr_census_tokens(ngx_ws_mgr_tokens_t *tokens)
{
    ngx_uint_t          i;
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->common;

    tokens->input_tokens = slot->input_tokens;
    tokens->output_tokens = slot->output_tokens;
    tokens->cost = slot->cost;

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {
        slot = &ngx_ws_mgr_node->slots[i];

        tokens->input_tokens += slot->input_tokens;
        tokens->output_tokens += slot->output_tokens;
        tokens->cost += slot->cost;
    }
}


/* locks the name's shard, whether there is such a user or not */

static ngx_ws_mgr_shard_t *
ngx_ws_mgr_census_lock(ngx_str_t *name, ngx_ws_mgr_user_t **user)
{
    ngx_ws_mgr_shard_t  *shard;

    shard = ngx_ws_mgr_shard_lock_name(name, user);

    if (*user) {
        ngx_ws_mgr_shard_age_locked(shard, *user, ngx_ws_mgr_now());
    }

    return shard;
}


static void
ngx_ws_mgr_census_copy_conn(ngx_ws_mgr_conn_t *conn,
    ngx_ws_mgr_conn_info_t *info)
{
    ngx_ws_mgr_user_t  *user;

    user = conn->member->user;

    info->number = conn->node.key;
    info->ordinal = conn->ordinal;
    info->sent = conn->sent;
    info->confirmed = conn->confirmed;
    info->since = conn->since;
    info->bytes_in = conn->bytes_in;
    info->bytes_out = conn->bytes_out;
    info->slot = conn->member->slot;
    info->kick = conn->kick;
    info->open = conn->open;

    info->position.epoch = user->log.epoch;
    info->position.seq = user->log.last;
    info->position.broadcast = user->log.broadcast;

    info->user.len = user->len;
    info->user.data = info->user_data;
    ngx_memcpy(info->user_data, user->name, user->len);

    info->thread.len = 0;
    info->thread.data = info->thread_data;

    if (conn->thread) {
        info->thread.len = conn->thread[0];
        ngx_memcpy(info->thread_data, conn->thread + 1, conn->thread[0]);
    }
}
