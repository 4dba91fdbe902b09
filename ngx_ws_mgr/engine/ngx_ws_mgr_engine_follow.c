
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_engine_io.h>


#define NGX_WS_MGR_FOLLOW_AT_ONCE  64      /* syncs of a server */
#define NGX_WS_MGR_FOLLOW_AUDIT    60      /* s in which each had its turn */
#define NGX_WS_MGR_FOLLOW_TRIES    32      /* of one sync, before a pause */


/* a user whom this worker has sockets of, and who is waited for */

typedef struct {
    ngx_str_node_t               user;     /* first; key: hash, which several
                                              users may have */
    ngx_queue_t                  queue;    /* of server->follows */
    ngx_queue_t                  stale;    /* of server->stale; next NULL: no */
    ngx_queue_t                  waits;    /* items of ops */
    ngx_ws_mgr_engine_server_t  *server;
    ngx_ws_mgr_redis_call_t      call;
    ngx_ws_mgr_position_t        from;     /* where want */
    uint32_t                     refs;     /* sockets, and */
    uint32_t                     watchers; /* those who wait for one */
    uint32_t                     tries;
    unsigned                     joined:1; /* the server knows, and so do we */
    unsigned                     busy:1;   /* the call is under way */
    unsigned                     again:1;  /* and once more behind it */
    unsigned                     want:1;   /* back to "from" */
    unsigned                     drop:1;   /* the server knows what is not so */
    u_char                       name[1];  /* of the user */
} ngx_ws_mgr_follow_t;


#define ngx_ws_mgr_follow_used(f)  ((f)->refs || (f)->watchers)


static ngx_ws_mgr_follow_t *ngx_ws_mgr_follow_find(ngx_str_t *user);
static ngx_ws_mgr_follow_t *ngx_ws_mgr_follow_get(ngx_str_t *user);
static void ngx_ws_mgr_follow_free(ngx_ws_mgr_follow_t *f);
static void ngx_ws_mgr_follow_wait(ngx_ws_mgr_follow_t *f,
    ngx_ws_mgr_engine_op_t *op, ngx_ws_mgr_position_t *from);
static ngx_uint_t ngx_ws_mgr_follow_covers(ngx_ws_mgr_follow_t *f,
    ngx_str_t *user, ngx_ws_mgr_position_t *from);
static void ngx_ws_mgr_follow_mark(ngx_ws_mgr_follow_t *f);
static void ngx_ws_mgr_follow_pump(ngx_ws_mgr_engine_server_t *server);
static ngx_int_t ngx_ws_mgr_follow_sync(ngx_ws_mgr_follow_t *f);
static ngx_int_t ngx_ws_mgr_follow_begun(ngx_ws_mgr_follow_t *f,
    ngx_int_t rc);
static ngx_int_t ngx_ws_mgr_follow_part(ngx_ws_mgr_follow_t *f);
static void ngx_ws_mgr_follow_parted(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_follow_synced(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_follow_end(ngx_ws_mgr_follow_t *f, ngx_uint_t failed);


static ngx_rbtree_t       ngx_ws_mgr_follow_tree;
static ngx_rbtree_node_t  ngx_ws_mgr_follow_sentinel;


void
ngx_ws_mgr_engine_follow_init(void)
{
    ngx_rbtree_init(&ngx_ws_mgr_follow_tree, &ngx_ws_mgr_follow_sentinel,
                    ngx_str_rbtree_insert_value);
}


void
ngx_ws_mgr_engine_follow_exit(ngx_ws_mgr_engine_server_t *server)
{
    ngx_queue_t          *q;
    ngx_ws_mgr_follow_t  *f;

    while (!ngx_queue_empty(&server->follows)) {
        q = ngx_queue_head(&server->follows);
        f = ngx_queue_data(q, ngx_ws_mgr_follow_t, queue);

        ngx_ws_mgr_redis_cancel(&f->call);
        ngx_ws_mgr_follow_free(f);
    }
}


static ngx_ws_mgr_follow_t *
ngx_ws_mgr_follow_find(ngx_str_t *user)
{
    return (ngx_ws_mgr_follow_t *)
               ngx_str_rbtree_lookup(&ngx_ws_mgr_follow_tree, user,
                                     ngx_ws_mgr_shard_hash(user));
}


static ngx_ws_mgr_follow_t *
ngx_ws_mgr_follow_get(ngx_str_t *user)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_find(user);

    if (f) {
        return f;
    }

    f = ngx_calloc(offsetof(ngx_ws_mgr_follow_t, name) + user->len,
                   ngx_cycle->log);
    if (f == NULL) {
        return NULL;
    }

    f->user.node.key = ngx_ws_mgr_shard_hash(user);
    f->user.str.len = user->len;
    f->user.str.data = f->name;
    ngx_memcpy(f->name, user->data, user->len);

    f->server = ngx_ws_mgr_engine_server(user);

    f->call.data = f;
    f->call.timeout = f->server->conf->timeout;

    ngx_queue_init(&f->waits);

    ngx_rbtree_insert(&ngx_ws_mgr_follow_tree, &f->user.node);
    ngx_queue_insert_tail(&f->server->follows, &f->queue);
    f->server->nfollows++;

    return f;
}


static void
ngx_ws_mgr_follow_free(ngx_ws_mgr_follow_t *f)
{
    ngx_rbtree_delete(&ngx_ws_mgr_follow_tree, &f->user.node);
    ngx_queue_remove(&f->queue);
    f->server->nfollows--;

    if (f->stale.next) {
        ngx_queue_remove(&f->stale);
    }

    ngx_free(f);
}


void
ngx_ws_mgr_engine_redis_enter(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user,
    ngx_ws_mgr_position_t *from)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_get(user);
    if (f == NULL) {
        op->failed++;
        return;
    }

    f->refs++;

    if (!ngx_ws_mgr_follow_covers(f, user, from)) {
        ngx_ws_mgr_follow_wait(f, op, from);
    }

    /* how many there are is to be known in any case */
    ngx_ws_mgr_follow_mark(f);
}


/* true if the log has what a socket that asks for "from" needs */

static ngx_uint_t
ngx_ws_mgr_follow_covers(ngx_ws_mgr_follow_t *f, ngx_str_t *user,
    ngx_ws_mgr_position_t *from)
{
    ngx_ws_mgr_user_info_t  info;

    if (!f->joined) {
        return 0;
    }

    return from == NULL
           || (ngx_ws_mgr_census_user_info(user, &info) == NGX_OK
               && info.shared
               && from->epoch == info.position.epoch
               && from->seq >= info.floor);
}


static void
ngx_ws_mgr_follow_wait(ngx_ws_mgr_follow_t *f, ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_position_t *from)
{
    ngx_ws_mgr_engine_item_t  *item;

    item = ngx_ws_mgr_engine_item(op, sizeof(ngx_ws_mgr_engine_item_t));
    if (item == NULL) {
        return;
    }

    ngx_queue_insert_tail(&f->waits, &item->wait);

    if (from == NULL) {
        return;
    }

    /* of two positions the one further back; of two epochs everything */

    if (!f->want) {
        f->from = *from;

    } else if (f->from.epoch != from->epoch) {
        f->from.epoch = 0;

    } else {
        f->from.seq = ngx_min(f->from.seq, from->seq);
    }

    f->want = 1;
}


void
ngx_ws_mgr_engine_redis_leave(ngx_str_t *user)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_find(user);

    if (f && f->refs) {
        f->refs--;
        f->drop = !ngx_ws_mgr_follow_used(f);
        ngx_ws_mgr_follow_mark(f);
    }
}


void
ngx_ws_mgr_engine_redis_reach(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user,
    ngx_ws_mgr_position_t *from)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_find(user);

    if (f && !ngx_ws_mgr_follow_covers(f, user, from)) {
        ngx_ws_mgr_follow_wait(f, op, from);
        ngx_ws_mgr_follow_mark(f);
    }
}


void
ngx_ws_mgr_engine_redis_watch(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_get(user);
    if (f == NULL) {
        op->failed++;
        return;
    }

    f->watchers++;

    ngx_ws_mgr_follow_wait(f, op, NULL);
    ngx_ws_mgr_follow_mark(f);

    /* sent behind that, on the same connection: who comes earlier is seen, who
       comes later tells */

    ngx_ws_mgr_engine_ask_nodes(op, user, NULL);
}


void
ngx_ws_mgr_engine_redis_unwatch(ngx_str_t *user)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_find(user);

    if (f && f->watchers) {
        f->watchers--;
        f->drop = !ngx_ws_mgr_follow_used(f);
        ngx_ws_mgr_follow_mark(f);
    }
}


ngx_int_t
ngx_ws_mgr_engine_follow_keep(ngx_str_t *user)
{
    ngx_ws_mgr_follow_t  *f;

    f = ngx_ws_mgr_follow_get(user);
    if (f == NULL) {
        return NGX_ERROR;
    }

    f->refs++;
    ngx_ws_mgr_follow_mark(f);

    return NGX_OK;
}


void
ngx_ws_mgr_engine_follow_load(ngx_ws_mgr_engine_op_t *op, ngx_str_t *user)
{
    ngx_ws_mgr_follow_t    *f;
    ngx_ws_mgr_position_t   all;

    f = ngx_ws_mgr_follow_get(user);
    if (f == NULL) {
        op->failed++;
        return;
    }

    ngx_memzero(&all, sizeof(ngx_ws_mgr_position_t));

    ngx_ws_mgr_follow_wait(f, op, &all);
    ngx_ws_mgr_follow_mark(f);
}


void
ngx_ws_mgr_engine_follow_stale(ngx_str_t *user, ngx_uint_t drop)
{
    ngx_ws_mgr_follow_t  *f;

    f = drop ? ngx_ws_mgr_follow_get(user) : ngx_ws_mgr_follow_find(user);

    if (f) {
        f->drop |= !ngx_ws_mgr_follow_used(f);
        ngx_ws_mgr_follow_mark(f);
    }
}


void
ngx_ws_mgr_engine_redis_lost(ngx_uint_t shard)
{
    ngx_str_t             user;
    ngx_rbtree_node_t    *node;
    ngx_ws_mgr_follow_t  *f;

    if (ngx_ws_mgr_follow_tree.root == &ngx_ws_mgr_follow_sentinel) {
        return;
    }

    for (node = ngx_rbtree_min(ngx_ws_mgr_follow_tree.root,
                               &ngx_ws_mgr_follow_sentinel);
         node;
         node = ngx_rbtree_next(&ngx_ws_mgr_follow_tree, node))
    {
        f = (ngx_ws_mgr_follow_t *) node;

        user = f->user.str;

        if (ngx_ws_mgr_shard_index(&user) == shard) {
            ngx_ws_mgr_follow_mark(f);
        }
    }
}


void
ngx_ws_mgr_engine_follow_all(ngx_ws_mgr_engine_server_t *server)
{
    ngx_queue_t          *q;
    ngx_ws_mgr_follow_t  *f;

    for (q = ngx_queue_head(&server->follows);
         q != ngx_queue_sentinel(&server->follows);
         q = ngx_queue_next(q))
    {
        f = ngx_queue_data(q, ngx_ws_mgr_follow_t, queue);

        f->joined = 0;
        f->again = f->busy;

        if (!f->busy && f->stale.next == NULL) {
            ngx_queue_insert_tail(&server->stale, &f->stale);
        }
    }

    ngx_ws_mgr_follow_pump(server);
}


void
ngx_ws_mgr_engine_follow_audit(ngx_ws_mgr_engine_server_t *server)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_ws_mgr_follow_t  *f;

    n = server->nfollows / NGX_WS_MGR_FOLLOW_AUDIT + 1;

    for (q = ngx_queue_head(&server->follows);
         q != ngx_queue_sentinel(&server->follows) && n;
         n--)
    {
        f = ngx_queue_data(q, ngx_ws_mgr_follow_t, queue);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&server->follows, q);

        ngx_ws_mgr_follow_mark(f);

        q = ngx_queue_head(&server->follows);
    }
}


/* it is to be synced, or, where it is being synced, once more */

static void
ngx_ws_mgr_follow_mark(ngx_ws_mgr_follow_t *f)
{
    if (f->busy) {
        f->again = 1;
        return;
    }

    if (f->stale.next == NULL) {
        ngx_queue_insert_tail(&f->server->stale, &f->stale);
    }

    ngx_ws_mgr_follow_pump(f->server);
}


static void
ngx_ws_mgr_follow_pump(ngx_ws_mgr_engine_server_t *server)
{
    ngx_int_t             rc;
    ngx_queue_t          *q;
    ngx_ws_mgr_follow_t  *f;

    while (!ngx_queue_empty(&server->stale)
           && server->syncing < NGX_WS_MGR_FOLLOW_AT_ONCE)
    {
        q = ngx_queue_head(&server->stale);
        f = ngx_queue_data(q, ngx_ws_mgr_follow_t, stale);

        ngx_queue_remove(q);
        f->stale.next = NULL;

        f->again = 0;
        rc = (!ngx_ws_mgr_follow_used(f) && ngx_queue_empty(&f->waits))
             ? ngx_ws_mgr_follow_part(f) : ngx_ws_mgr_follow_sync(f);

        if (rc != NGX_OK) {

            /* no memory: the audit comes by */

            ngx_queue_insert_tail(&server->stale, &f->stale);
            return;
        }
    }
}


static ngx_int_t
ngx_ws_mgr_follow_sync(ngx_ws_mgr_follow_t *f)
{
    ngx_ws_mgr_engine_sync_t  sync;

    sync.user = f->user.str;
    sync.sockets = f->refs;
    sync.from = f->from;
    sync.want = f->want;
    sync.used = ngx_ws_mgr_follow_used(f);

    f->call.done = ngx_ws_mgr_follow_synced;

    return ngx_ws_mgr_follow_begun(f, ngx_ws_mgr_engine_ask_sync(f->server,
                                                             &f->call, &sync));
}


static ngx_int_t
ngx_ws_mgr_follow_begun(ngx_ws_mgr_follow_t *f, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        f->busy = 1;
        f->server->syncing++;
    }

    return rc;
}


/* the server forgets that there were sockets here; then so do we */

static ngx_int_t
ngx_ws_mgr_follow_part(ngx_ws_mgr_follow_t *f)
{
    ngx_str_t                 user, args[3];
    ngx_ws_mgr_engine_keys_t  keys;

    if (!f->drop) {
        ngx_ws_mgr_follow_free(f);
        return NGX_OK;
    }

    user = f->user.str;

    ngx_ws_mgr_engine_keys(&keys, &user);

    ngx_str_set(&args[0], "HDEL");
    args[1] = keys.key[NGX_WS_MGR_ENGINE_MEMBERS];
    args[2] = ngx_ws_mgr_engine_field;

    f->joined = 0;
    f->drop = 0;

    f->call.done = ngx_ws_mgr_follow_parted;
    f->call.script = NULL;

    return ngx_ws_mgr_follow_begun(f,
                       ngx_ws_mgr_redis_call(f->server->commands, &f->call,
                                             args, 3));
}


static void
ngx_ws_mgr_follow_parted(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_ws_mgr_follow_t *f = call->data;

    if (reply && reply->type != REDIS_REPLY_INTEGER) {
        ngx_ws_mgr_redis_blame(f->server->commands, reply);
    }

    /* who publishes finds out by itself where the server does not know it */

    ngx_ws_mgr_follow_end(f, 0);
}


static void
ngx_ws_mgr_follow_synced(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_int_t             rc;
    ngx_str_t             user;
    ngx_ws_mgr_follow_t  *f = call->data;

    user = f->user.str;

    rc = reply ? ngx_ws_mgr_engine_catch_up(&user, reply, f->want)
               : NGX_ERROR;

    if (rc == NGX_DECLINED) {
        ngx_ws_mgr_redis_blame(f->server->commands, reply);
    }

    if (rc == NGX_AGAIN && f->tries++ < NGX_WS_MGR_FOLLOW_TRIES) {
        f->busy = 0;
        f->server->syncing--;
        ngx_queue_insert_head(&f->server->stale, &f->stale);
        ngx_ws_mgr_follow_pump(f->server);
        return;
    }

    f->joined = (rc == NGX_OK && f->server->subscribed
                 && ngx_ws_mgr_follow_used(f));

    ngx_ws_mgr_follow_end(f, rc != NGX_OK);
}


/* a call has come to its end: who waits for it goes on, unless it is to be made
   again; and what is followed by nobody goes */

static void
ngx_ws_mgr_follow_end(ngx_ws_mgr_follow_t *f, ngx_uint_t failed)
{
    ngx_queue_t                  waits;
    ngx_ws_mgr_engine_item_t    *item;
    ngx_ws_mgr_engine_server_t  *server;

    server = f->server;

    f->busy = 0;
    server->syncing--;

    ngx_queue_init(&waits);

    if (!f->again || failed) {
        f->tries = 0;
        f->want = 0;

        if (!ngx_queue_empty(&f->waits)) {
            ngx_queue_add(&waits, &f->waits);
            ngx_queue_init(&f->waits);
        }
    }

    if (f->again
        || (!ngx_ws_mgr_follow_used(f) && ngx_queue_empty(&f->waits)))
    {
        ngx_queue_insert_tail(&server->stale, &f->stale);
    }

    /* f may be gone from here on: who goes on may leave */

    while (!ngx_queue_empty(&waits)) {
        item = ngx_queue_data(ngx_queue_head(&waits),
                              ngx_ws_mgr_engine_item_t, wait);

        ngx_queue_remove(&item->wait);
        item->wait.next = NULL;

        ngx_ws_mgr_engine_answered(item, failed);
    }

    ngx_ws_mgr_follow_pump(server);
}
