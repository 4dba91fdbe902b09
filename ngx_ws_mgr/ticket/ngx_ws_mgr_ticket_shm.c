
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_ticket_shm.h>
#include <ngx_ws_mgr_shard.h>


#define NGX_WS_MGR_TICKET_SHM_ID    32     /* bytes of a decoded id */
#define NGX_WS_MGR_TICKET_SHM_USER  100    /* of a user, in each shard */
#define NGX_WS_MGR_TICKET_SHM_LAZY  2      /* dropped by each operation */
#define NGX_WS_MGR_TICKET_SHM_FULL  32     /* dropped where the share is full */


typedef struct {
    ngx_rbtree_node_t        node;         /* key: the first bytes of the id */
    ngx_rbtree_node_t        expiry;       /* key: seconds since 1970 */
    union {
        ngx_rbtree_node_t    owner;        /* key: hash of the user; of one key
                                              the oldest is first */
        ngx_queue_t          used;         /* where it was: oldest first */
    }                        by;
    u_char                  *record;       /* NULL: it was used */
    uint16_t                 len;
    uint8_t                  single_use;
    uint8_t                  user_len;
    u_char                   id[NGX_WS_MGR_TICKET_SHM_ID];
    u_char                   user[1];
} ngx_ws_mgr_ticket_shm_t;


#define ngx_ws_mgr_ticket_shm_size(user_len)                                  \
    (offsetof(ngx_ws_mgr_ticket_shm_t, user) + (user_len))


static void ngx_ws_mgr_ticket_shm_consume(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_issue(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_look(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_revoke(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_cancel(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_read(ngx_ws_mgr_ticket_op_t *op,
    ngx_uint_t consume);
static ngx_ws_mgr_ticket_result_e ngx_ws_mgr_ticket_shm_insert_locked(
    ngx_ws_mgr_shard_t *shard, u_char *id, ngx_ws_mgr_ticket_op_t *op,
    ngx_ws_mgr_ticket_t *ticket);
static void ngx_ws_mgr_ticket_shm_cap_locked(ngx_ws_mgr_shard_t *shard,
    ngx_str_t *user);
static ngx_ws_mgr_shard_t *ngx_ws_mgr_ticket_shm_locate(ngx_str_t *text,
    u_char *id);
static ngx_rbtree_node_t *ngx_ws_mgr_ticket_shm_from(ngx_rbtree_t *tree,
    ngx_rbtree_key_t key);
static ngx_ws_mgr_ticket_shm_t *ngx_ws_mgr_ticket_shm_find_locked(
    ngx_ws_mgr_shard_t *shard, u_char *id);
static ngx_ws_mgr_ticket_result_e ngx_ws_mgr_ticket_shm_state_locked(
    ngx_ws_mgr_ticket_shm_t *t);
static void ngx_ws_mgr_ticket_shm_expire_locked(ngx_ws_mgr_shard_t *shard,
    ngx_uint_t n, time_t before);
static void ngx_ws_mgr_ticket_shm_forget_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_ticket_shm_t *t);
static void ngx_ws_mgr_ticket_shm_remove_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_ticket_shm_t *t);
static size_t ngx_ws_mgr_ticket_shm_cost(size_t size);


const ngx_ws_mgr_ticket_store_t  ngx_ws_mgr_ticket_shm = {
    "shm",
    ngx_ws_mgr_ticket_shm_consume,
    ngx_ws_mgr_ticket_shm_issue,
    ngx_ws_mgr_ticket_shm_look,
    ngx_ws_mgr_ticket_shm_revoke,
    ngx_ws_mgr_ticket_shm_cancel
};


static void
ngx_ws_mgr_ticket_shm_consume(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_shm_read(op, 1);
}


static void
ngx_ws_mgr_ticket_shm_look(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_ws_mgr_ticket_shm_read(op, 0);
}


static void
ngx_ws_mgr_ticket_shm_cancel(ngx_ws_mgr_ticket_op_t *op)
{
    /* no operation outlives the call that started it */

    (void) op;
}


static void
ngx_ws_mgr_ticket_shm_read(ngx_ws_mgr_ticket_op_t *op, ngx_uint_t consume)
{
    u_char                    id[NGX_WS_MGR_TICKET_SHM_ID];
    u_char                    record[NGX_WS_MGR_TICKET_RECORD];
    size_t                    len;
    ngx_ws_mgr_shard_t       *shard;
    ngx_ws_mgr_ticket_shm_t  *t;

    len = 0;
    op->result = NGX_WS_MGR_TICKET_UNKNOWN;

    shard = ngx_ws_mgr_ticket_shm_locate(&op->id, id);

    if (shard) {
        ngx_ws_mgr_shard_lock(shard);

        t = ngx_ws_mgr_ticket_shm_find_locked(shard, id);
        op->result = ngx_ws_mgr_ticket_shm_state_locked(t);

        if (op->result == NGX_WS_MGR_TICKET_OK) {
            len = t->len;
            ngx_memcpy(record, t->record, len);

            if (consume && t->single_use) {
                ngx_ws_mgr_ticket_shm_forget_locked(shard, t);
            }
        }

        ngx_ws_mgr_ticket_shm_expire_locked(shard, NGX_WS_MGR_TICKET_SHM_LAZY,
                                            ngx_time()
                                            - NGX_WS_MGR_TICKET_SHM_GRACE);
        ngx_ws_mgr_shard_unlock(shard);
    }

    op->used = (op->result == NGX_WS_MGR_TICKET_USED);
    ngx_str_null(&op->record);

    if (op->result == NGX_WS_MGR_TICKET_OK) {

        if (consume) {
            ngx_ws_mgr_count(TICKETS_CONSUMED);
        }

        op->record.data = ngx_pnalloc(op->pool, len);

        if (op->record.data) {
            op->record.len = len;
            ngx_memcpy(op->record.data, record, len);

        } else {
            op->result = NGX_WS_MGR_TICKET_NO_MEMORY;
        }
    }

    op->done(op);
}


static void
ngx_ws_mgr_ticket_shm_issue(ngx_ws_mgr_ticket_op_t *op)
{
    u_char                id[NGX_WS_MGR_TICKET_SHM_ID];
    ngx_ws_mgr_shard_t   *shard;
    ngx_ws_mgr_ticket_t   ticket;

    /* a record that could not be consumed is not taken in */

    op->result = ngx_ws_mgr_ticket_check(op, &ticket);

    if (op->result != NGX_WS_MGR_TICKET_OK) {
        op->done(op);
        return;
    }

    shard = ngx_ws_mgr_ticket_shm_locate(&op->id, id);

    if (shard == NULL) {
        ngx_log_error(NGX_LOG_ALERT, op->log, 0,
                      "ws_mgr ticket cannot be issued: its id is malformed");

        op->result = NGX_WS_MGR_TICKET_UNAVAILABLE;
        op->done(op);
        return;
    }

    ngx_ws_mgr_shard_lock(shard);

    ngx_ws_mgr_ticket_shm_expire_locked(shard, NGX_WS_MGR_TICKET_SHM_LAZY,
                                        ngx_time()
                                        - NGX_WS_MGR_TICKET_SHM_GRACE);

    op->result = ngx_ws_mgr_ticket_shm_insert_locked(shard, id, op, &ticket);
    ngx_ws_mgr_shard_unlock(shard);

    if (op->result == NGX_WS_MGR_TICKET_OK) {
        ngx_ws_mgr_count(TICKETS_ISSUED);
    }

    op->done(op);
}


static ngx_ws_mgr_ticket_result_e
ngx_ws_mgr_ticket_shm_insert_locked(ngx_ws_mgr_shard_t *shard, u_char *id,
    ngx_ws_mgr_ticket_op_t *op, ngx_ws_mgr_ticket_t *ticket)
{
    size_t                    size, cost, share;
    ngx_ws_mgr_ticket_shm_t  *t;

    if (ngx_ws_mgr_ticket_shm_find_locked(shard, id) != NULL) {
        return NGX_WS_MGR_TICKET_UNAVAILABLE;
    }

    ngx_ws_mgr_ticket_shm_cap_locked(shard, &ticket->user);

    share = (shard->pool->end - (u_char *) shard->pool) / 4;
    size = ngx_ws_mgr_ticket_shm_size(ticket->user.len);
    cost = ngx_ws_mgr_ticket_shm_cost(size)
           + ngx_ws_mgr_ticket_shm_cost(op->record.len);

    if (shard->ticket_bytes + cost > share) {
        ngx_ws_mgr_ticket_shm_expire_locked(shard, NGX_WS_MGR_TICKET_SHM_FULL,
                                            ngx_time());
    }

    /* of one that is not known to have been used any more it is said that it
       never was; it lets nobody in either way */

    while (shard->ticket_bytes + cost > share
           && !ngx_queue_empty(&shard->used))
    {
        t = ngx_queue_data(ngx_queue_head(&shard->used),
                           ngx_ws_mgr_ticket_shm_t, by.used);
        ngx_ws_mgr_discard(TICKETS_FORGOTTEN);
        ngx_ws_mgr_ticket_shm_remove_locked(shard, t);
    }

    if (shard->ticket_bytes + cost > share) {
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    t = ngx_ws_mgr_shard_calloc_locked(shard, size);
    if (t == NULL) {
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    t->record = ngx_ws_mgr_shard_alloc_locked(shard, op->record.len);
    if (t->record == NULL) {
        ngx_ws_mgr_shard_free_locked(shard, t);
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    t->len = (uint16_t) op->record.len;
    t->single_use = ticket->single_use;
    t->user_len = (uint8_t) ticket->user.len;
    ngx_memcpy(t->record, op->record.data, t->len);
    ngx_memcpy(t->id, id, NGX_WS_MGR_TICKET_SHM_ID);
    ngx_memcpy(t->user, ticket->user.data, ticket->user.len);

    ngx_memcpy(&t->node.key, id, sizeof(ngx_rbtree_key_t));
    t->expiry.key = (ngx_rbtree_key_t) op->expires;
    t->by.owner.key = ngx_ws_mgr_shard_hash(&ticket->user);

    ngx_rbtree_insert(&shard->tickets, &t->node);
    ngx_ws_mgr_failpoint_midst();
    ngx_rbtree_insert(&shard->expiry, &t->expiry);
    ngx_rbtree_insert(&shard->owners, &t->by.owner);

    shard->ntickets++;
    shard->ticket_bytes += cost;

    return NGX_WS_MGR_TICKET_OK;
}


/* room for one more of the user: over the cap the oldest goes */

static void
ngx_ws_mgr_ticket_shm_cap_locked(ngx_ws_mgr_shard_t *shard, ngx_str_t *user)
{
    ngx_uint_t                n;
    ngx_rbtree_node_t        *node;
    ngx_rbtree_key_t          key;
    ngx_ws_mgr_ticket_shm_t  *t, *oldest;

    n = 0;
    oldest = NULL;
    key = ngx_ws_mgr_shard_hash(user);

    for (node = ngx_ws_mgr_ticket_shm_from(&shard->owners, key);
         node && node->key == key;
         node = ngx_rbtree_next(&shard->owners, node))
    {
        t = ngx_rbtree_data(node, ngx_ws_mgr_ticket_shm_t, by.owner);

        if (t->user_len == user->len
            && ngx_memcmp(t->user, user->data, user->len) == 0)
        {
            oldest = oldest ? oldest : t;
            n++;
        }
    }

    if (n < NGX_WS_MGR_TICKET_SHM_USER) {
        return;
    }

    ngx_ws_mgr_discard(TICKETS_REPLACED);
    ngx_ws_mgr_ticket_shm_remove_locked(shard, oldest);
}


static void
ngx_ws_mgr_ticket_shm_revoke(ngx_ws_mgr_ticket_op_t *op)
{
    u_char                    id[NGX_WS_MGR_TICKET_SHM_ID];
    ngx_ws_mgr_shard_t       *shard;
    ngx_ws_mgr_ticket_shm_t  *t;

    op->result = NGX_WS_MGR_TICKET_UNKNOWN;

    shard = ngx_ws_mgr_ticket_shm_locate(&op->id, id);

    if (shard) {
        ngx_ws_mgr_shard_lock(shard);

        t = ngx_ws_mgr_ticket_shm_find_locked(shard, id);
        op->result = ngx_ws_mgr_ticket_shm_state_locked(t);

        if (op->result == NGX_WS_MGR_TICKET_OK) {
            ngx_ws_mgr_ticket_shm_remove_locked(shard, t);
            ngx_ws_mgr_count(TICKETS_REVOKED);
        }

        ngx_ws_mgr_ticket_shm_expire_locked(shard, NGX_WS_MGR_TICKET_SHM_LAZY,
                                            ngx_time()
                                            - NGX_WS_MGR_TICKET_SHM_GRACE);
        ngx_ws_mgr_shard_unlock(shard);
    }

    op->done(op);
}


/* decodes the id; NULL: no id of ours */

static ngx_ws_mgr_shard_t *
ngx_ws_mgr_ticket_shm_locate(ngx_str_t *text, u_char *id)
{
    ngx_str_t  dst;

    if (ngx_ws_mgr_ticket_check_id(text) != NGX_OK) {
        return NULL;
    }

    /* 43 characters are 258 bits: one spelling of the last two is right */

    if (ngx_strchr("AEIMQUYcgkosw048", text->data[text->len - 1]) == NULL) {
        return NULL;
    }

    dst.data = id;

    if (ngx_decode_base64url(&dst, text) != NGX_OK) {
        return NULL;
    }

    return ngx_ws_mgr_shard_of(ngx_ws_mgr_shard_hash(text));
}


static ngx_ws_mgr_ticket_shm_t *
ngx_ws_mgr_ticket_shm_find_locked(ngx_ws_mgr_shard_t *shard, u_char *id)
{
    ngx_rbtree_key_t          key;
    ngx_rbtree_node_t        *node;
    ngx_ws_mgr_ticket_shm_t  *t;

    ngx_memcpy(&key, id, sizeof(ngx_rbtree_key_t));

    for (node = ngx_ws_mgr_ticket_shm_from(&shard->tickets, key);
         node && node->key == key;
         node = ngx_rbtree_next(&shard->tickets, node))
    {
        t = ngx_rbtree_data(node, ngx_ws_mgr_ticket_shm_t, node);

        if (ngx_memcmp(t->id, id, NGX_WS_MGR_TICKET_SHM_ID) == 0) {
            return t;
        }
    }

    return NULL;
}


/* the first node of at least that key, or NULL: after rotations nodes of one
   key are neighbours, on either side, in the order in which they came */

static ngx_rbtree_node_t *
ngx_ws_mgr_ticket_shm_from(ngx_rbtree_t *tree, ngx_rbtree_key_t key)
{
    ngx_rbtree_node_t  *node, *first;

    first = NULL;
    node = tree->root;

    while (node != tree->sentinel) {

        if (node->key >= key) {
            first = node;
            node = node->left;

        } else {
            node = node->right;
        }
    }

    return first;
}


static ngx_ws_mgr_ticket_result_e
ngx_ws_mgr_ticket_shm_state_locked(ngx_ws_mgr_ticket_shm_t *t)
{
    if (t == NULL) {
        return NGX_WS_MGR_TICKET_UNKNOWN;
    }

    if (t->record == NULL) {
        return NGX_WS_MGR_TICKET_USED;
    }

    if ((time_t) t->expiry.key <= ngx_time()) {
        return NGX_WS_MGR_TICKET_EXPIRED;
    }

    return NGX_WS_MGR_TICKET_OK;
}


/* drops up to n tickets that expired at "before" or earlier */

static void
ngx_ws_mgr_ticket_shm_expire_locked(ngx_ws_mgr_shard_t *shard, ngx_uint_t n,
    time_t before)
{
    ngx_rbtree_node_t        *node;
    ngx_ws_mgr_ticket_shm_t  *t;

    while (n-- && shard->expiry.root != shard->expiry.sentinel) {

        node = ngx_rbtree_min(shard->expiry.root, shard->expiry.sentinel);

        if ((time_t) node->key > before) {
            return;
        }

        t = ngx_rbtree_data(node, ngx_ws_mgr_ticket_shm_t, expiry);

        if (t->record) {
            ngx_ws_mgr_discard(TICKETS_EXPIRED);
        }

        ngx_ws_mgr_ticket_shm_remove_locked(shard, t);
    }
}


/* the record goes, the marker stays */

static void
ngx_ws_mgr_ticket_shm_forget_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_ticket_shm_t *t)
{
    shard->ticket_bytes -= ngx_ws_mgr_ticket_shm_cost(t->len);

    ngx_ws_mgr_shard_free_locked(shard, t->record);
    t->record = NULL;

    ngx_rbtree_delete(&shard->owners, &t->by.owner);
    ngx_queue_insert_tail(&shard->used, &t->by.used);
}


static void
ngx_ws_mgr_ticket_shm_remove_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_ticket_shm_t *t)
{
    if (t->record) {
        ngx_ws_mgr_ticket_shm_forget_locked(shard, t);
    }

    ngx_rbtree_delete(&shard->tickets, &t->node);
    ngx_ws_mgr_failpoint_midst();
    ngx_rbtree_delete(&shard->expiry, &t->expiry);
    ngx_queue_remove(&t->by.used);

    shard->ntickets--;
    shard->ticket_bytes -=
        ngx_ws_mgr_ticket_shm_cost(ngx_ws_mgr_ticket_shm_size(t->user_len));

    ngx_ws_mgr_shard_free_locked(shard, t);
}


/* what the slab allocator spends on it */

static size_t
ngx_ws_mgr_ticket_shm_cost(size_t size)
{
    size_t  n;

    if (size > ngx_pagesize / 2) {
        return ngx_align(size, ngx_pagesize);
    }

    for (n = 8; n < size; n <<= 1) { /* void */ }

    return n;
}
