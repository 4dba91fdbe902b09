
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_shard.h>


static ngx_ws_mgr_user_t **ngx_ws_mgr_shard_link(ngx_ws_mgr_shard_t *shard,
    uint32_t hash, ngx_str_t *name);
static ngx_ws_mgr_user_t *ngx_ws_mgr_shard_head(ngx_ws_mgr_shard_t *shard,
    ngx_uint_t bucket);
static ngx_int_t ngx_ws_mgr_shard_order(uint32_t hash, ngx_str_t *name,
    ngx_ws_mgr_user_t *user);


/* the low bits of a hash, which are the same in all of a shard, are no part of
   it */
#define ngx_ws_mgr_shard_bucket(shard, hash)                                  \
    ((ngx_uint_t) ((uint32_t) (hash) >> (shard)->users_shift))


ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_find(ngx_ws_mgr_shard_t *shard, uint32_t hash,
    ngx_str_t *name)
{
    ngx_ws_mgr_user_t  *user;

    user = *ngx_ws_mgr_shard_link(shard, hash, name);

    return (user && ngx_ws_mgr_shard_order(hash, name, user) == 0) ? user
                                                                   : NULL;
}


void
ngx_ws_mgr_shard_insert(ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user)
{
    ngx_str_t            name;
    ngx_ws_mgr_user_t  **link;

    name.data = user->name;
    name.len = user->len;

    link = ngx_ws_mgr_shard_link(shard, user->hash, &name);

    user->next = *link;
    ngx_ws_mgr_failpoint_midst();
    *link = user;
}


void
ngx_ws_mgr_shard_remove(ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user)
{
    ngx_ws_mgr_user_t  **link;

    link = &shard->users[ngx_ws_mgr_shard_bucket(shard, user->hash)];

    while (*link != user) {
        link = &(*link)->next;
    }

    *link = user->next;
}


ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_from(ngx_ws_mgr_shard_t *shard, uint32_t hash)
{
    ngx_uint_t          bucket;
    ngx_ws_mgr_user_t  *user;

    bucket = ngx_ws_mgr_shard_bucket(shard, hash);

    for (user = shard->users[bucket]; user; user = user->next) {
        if (user->hash >= hash) {
            return user;
        }
    }

    return ngx_ws_mgr_shard_head(shard, bucket + 1);
}


ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_behind(ngx_ws_mgr_shard_t *shard, uint32_t hash,
    ngx_str_t *name)
{
    ngx_ws_mgr_user_t  *user;

    user = *ngx_ws_mgr_shard_link(shard, hash, name);

    if (user == NULL) {
        return ngx_ws_mgr_shard_head(shard,
                                     ngx_ws_mgr_shard_bucket(shard, hash) + 1);
    }

    return ngx_ws_mgr_shard_order(hash, name, user) == 0
           ? ngx_ws_mgr_shard_next(shard, user) : user;
}


ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_next(ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user)
{
    if (user->next) {
        return user->next;
    }

    return ngx_ws_mgr_shard_head(shard,
                               ngx_ws_mgr_shard_bucket(shard, user->hash) + 1);
}


/* to the first of the bucket that is not before the name, or to its end */

static ngx_ws_mgr_user_t **
ngx_ws_mgr_shard_link(ngx_ws_mgr_shard_t *shard, uint32_t hash,
    ngx_str_t *name)
{
    ngx_ws_mgr_user_t  **link;

    link = &shard->users[ngx_ws_mgr_shard_bucket(shard, hash)];

    while (*link && ngx_ws_mgr_shard_order(hash, name, *link) > 0) {
        link = &(*link)->next;
    }

    return link;
}


/* the first user of the bucket, or of those behind it */

static ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_head(ngx_ws_mgr_shard_t *shard, ngx_uint_t bucket)
{
    ngx_uint_t  n;

    n = (ngx_uint_t) 1 << (32 - shard->users_shift);

    for ( /* void */ ; bucket < n; bucket++) {
        if (shard->users[bucket]) {
            return shard->users[bucket];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_ws_mgr_shard_order(uint32_t hash, ngx_str_t *name,
    ngx_ws_mgr_user_t *user)
{
    if (hash != user->hash) {
        return (hash < user->hash) ? -1 : 1;
    }

    return ngx_memn2cmp(name->data, user->name, name->len, user->len);
}
