
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_ticket_shm.h>
#include <ngx_ws_mgr_shard.h>


#define NGX_WS_MGR_TICKET_SHM_ID    32     /* bytes of a decoded id */
#define NGX_WS_MGR_TICKET_SHM_LAZY  2      /* dropped by each operation */
#define NGX_WS_MGR_TICKET_SHM_FULL  32     /* dropped where the share is full */


typedef struct {
    ngx_rbtree_node_t        node;         /* key: the first bytes of the id */
    ngx_rbtree_node_t        expiry;       /* key: seconds since 1970 */
    u_char                  *record;       /* NULL: it was used */
    uint16_t                 len;
    uint8_t                  single_use;
    u_char                   id[NGX_WS_MGR_TICKET_SHM_ID];
} ngx_ws_mgr_ticket_shm_t;


static void ngx_ws_mgr_ticket_shm_consume(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_issue(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_look(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_revoke(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_cancel(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_ticket_shm_read(ngx_ws_mgr_ticket_op_t *op,
    ngx_uint_t consume);
static ngx_ws_mgr_ticket_result_e ngx_ws_mgr_ticket_shm_insert_locked(
    ngx_ws_mgr_shard_t *shard, u_char *id, ngx_ws_mgr_ticket_op_t *op,
    ngx_uint_t single_use);
static ngx_ws_mgr_shard_t *ngx_ws_mgr_ticket_shm_locate(ngx_str_t *text,
    u_char *id);
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

    op->result = ngx_ws_mgr_ticket_shm_insert_locked(shard, id, op,
                                                     ticket.single_use);
    ngx_ws_mgr_shard_unlock(shard);

    if (op->result == NGX_WS_MGR_TICKET_OK) {
        ngx_ws_mgr_count(TICKETS_ISSUED);
    }

    op->done(op);
}


static ngx_ws_mgr_ticket_result_e
ngx_ws_mgr_ticket_shm_insert_locked(ngx_ws_mgr_shard_t *shard, u_char *id,
    ngx_ws_mgr_ticket_op_t *op, ngx_uint_t single_use)
{
    size_t                    cost, share;
    ngx_ws_mgr_ticket_shm_t  *t;

    if (ngx_ws_mgr_ticket_shm_find_locked(shard, id) != NULL) {
        return NGX_WS_MGR_TICKET_UNAVAILABLE;
    }

    share = (shard->pool->end - (u_char *) shard->pool) / 4;
    cost = ngx_ws_mgr_ticket_shm_cost(sizeof(ngx_ws_mgr_ticket_shm_t))
           + ngx_ws_mgr_ticket_shm_cost(op->record.len);

    if (shard->ticket_bytes + cost > share) {
        ngx_ws_mgr_ticket_shm_expire_locked(shard, NGX_WS_MGR_TICKET_SHM_FULL,
                                            ngx_time());
    }

    if (shard->ticket_bytes + cost > share) {
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    t = ngx_ws_mgr_shard_alloc_locked(shard, sizeof(ngx_ws_mgr_ticket_shm_t));
    if (t == NULL) {
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    t->record = ngx_ws_mgr_shard_alloc_locked(shard, op->record.len);
    if (t->record == NULL) {
        ngx_ws_mgr_shard_free_locked(shard, t);
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    t->len = (uint16_t) op->record.len;
    t->single_use = (uint8_t) single_use;
    ngx_memcpy(t->record, op->record.data, t->len);
    ngx_memcpy(t->id, id, NGX_WS_MGR_TICKET_SHM_ID);

    ngx_memcpy(&t->node.key, id, sizeof(ngx_rbtree_key_t));
    t->expiry.key = (ngx_rbtree_key_t) op->expires;

    ngx_rbtree_insert(&shard->tickets, &t->node);
    ngx_ws_mgr_failpoint_midst();
    ngx_rbtree_insert(&shard->expiry, &t->expiry);

    shard->ntickets++;
    shard->ticket_bytes += cost;

    return NGX_WS_MGR_TICKET_OK;
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
    ngx_rbtree_node_t        *node, *first;
    ngx_ws_mgr_ticket_shm_t  *t;

    ngx_memcpy(&key, id, sizeof(ngx_rbtree_key_t));

    first = NULL;
    node = shard->tickets.root;

    while (node != shard->tickets.sentinel) {

        if (node->key >= key) {
            first = node;
            node = node->left;

        } else {
            node = node->right;
        }
    }

    /* after rotations nodes of one key are neighbours, on either side */

    for (node = first;
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
            ngx_ws_mgr_count(TICKETS_EXPIRED);
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

    shard->ntickets--;
    shard->ticket_bytes -=
                  ngx_ws_mgr_ticket_shm_cost(sizeof(ngx_ws_mgr_ticket_shm_t));

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
