
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json_names.h>
#include <openssl/rand.h>


static ngx_int_t ngx_ws_mgr_names_add_few(ngx_ws_mgr_names_t *n,
    ngx_ws_mgr_names_set_t *set, ngx_str_t *name);
static ngx_int_t ngx_ws_mgr_names_add_many(ngx_ws_mgr_names_t *n,
    ngx_ws_mgr_names_set_t *set, ngx_str_t *name);
static ngx_int_t ngx_ws_mgr_names_push(ngx_ws_mgr_names_t *n, uint64_t key,
    ngx_str_t *name);
static ngx_int_t ngx_ws_mgr_names_rehash(ngx_ws_mgr_names_t *n,
    ngx_ws_mgr_names_set_t *set);
static void *ngx_ws_mgr_names_grow(ngx_ws_mgr_names_t *n, void *old,
    size_t used, size_t size);
static uint64_t ngx_ws_mgr_names_hash(ngx_str_t *name);


/* of SipHash; drawn when the first table is made */

static uint64_t    ngx_ws_mgr_names_key[2];
static ngx_uint_t  ngx_ws_mgr_names_keyed;


/*
 * Of names of one length, equal keys mean equal names up to 8 bytes; beyond
 * they are a hint.
 */

static ngx_inline uint64_t
ngx_ws_mgr_names_few_key(u_char *p, size_t len)
{
    uint32_t  a, b;
    uint64_t  c, d;

    if (len >= 8) {
        ngx_memcpy(&c, p, 8);
        ngx_memcpy(&d, p + len - 8, 8);

        return (len == 8) ? c : c + 3 * d;
    }

    if (len >= 4) {
        ngx_memcpy(&a, p, 4);
        ngx_memcpy(&b, p + len - 4, 4);

        return ((uint64_t) a << 32) | b;
    }

    if (len == 0) {
        return 0;
    }

    return ((uint32_t) p[0] << 16) | ((uint32_t) p[len / 2] << 8) | p[len - 1];
}


static ngx_inline uint64_t
ngx_ws_mgr_names_rotl(uint64_t x, ngx_uint_t n)
{
    return (x << n) | (x >> (64 - n));
}


static ngx_inline void
ngx_ws_mgr_names_round(uint64_t *v)
{
    v[0] += v[1];
    v[1] = ngx_ws_mgr_names_rotl(v[1], 13) ^ v[0];
    v[0] = ngx_ws_mgr_names_rotl(v[0], 32);
    v[2] += v[3];
    v[3] = ngx_ws_mgr_names_rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ngx_ws_mgr_names_rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ngx_ws_mgr_names_rotl(v[1], 17) ^ v[2];
    v[2] = ngx_ws_mgr_names_rotl(v[2], 32);
}


void
ngx_ws_mgr_names_init(ngx_ws_mgr_names_t *n, ngx_pool_t *pool)
{
    n->pool = pool;
    n->names = n->few;
    n->slots = NULL;
    n->nnames = 0;
    n->nslots = 0;
    n->names_size = NGX_WS_MGR_NAMES_INLINE;
    n->slots_size = 0;
}


void
ngx_ws_mgr_names_begin(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set)
{
    set->bits = 0;
    set->names = n->nnames;
    set->slots = n->nslots;
}


void
ngx_ws_mgr_names_end(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set)
{
    n->nnames = set->names;
    n->nslots = set->slots;
}


ngx_int_t
ngx_ws_mgr_names_add(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set,
    ngx_str_t *name)
{
    if (n->nnames - set->names < NGX_WS_MGR_NAMES_FEW) {
        return ngx_ws_mgr_names_add_few(n, set, name);
    }

    return ngx_ws_mgr_names_add_many(n, set, name);
}


static ngx_int_t
ngx_ws_mgr_names_add_few(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set,
    ngx_str_t *name)
{
    uint64_t            key, bit;
    ngx_ws_mgr_name_t  *other, *last;

    key = ngx_ws_mgr_names_few_key(name->data, name->len);
    bit = (uint64_t) 1 << ((key * 0x9e3779b97f4a7c15ULL) >> 58);

    if (!(set->bits & bit)) {
        set->bits |= bit;
        return ngx_ws_mgr_names_push(n, key, name);
    }

    last = &n->names[n->nnames];

    for (other = &n->names[set->names]; other < last; other++) {

        if (other->key == key
            && other->len == name->len
            && (name->len <= 8
                || ngx_memcmp(other->data, name->data, name->len) == 0))
        {
            return NGX_DECLINED;
        }
    }

    return ngx_ws_mgr_names_push(n, key, name);
}


/*
 * The table has two slots or more for each name; a slot is the index of a
 * name of the set plus one.  The hash is keyed: names cannot be chosen so
 * that they meet.
 */

static ngx_int_t
ngx_ws_mgr_names_add_many(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set,
    ngx_str_t *name)
{
    uint32_t            i, mask, used, *slots;
    uint64_t            key;
    ngx_ws_mgr_name_t  *other;

    used = n->nnames - set->names;

    if (2 * used >= n->nslots - set->slots) {
        if (ngx_ws_mgr_names_rehash(n, set) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    key = ngx_ws_mgr_names_hash(name);
    slots = &n->slots[set->slots];
    mask = n->nslots - set->slots - 1;

    for (i = key & mask; slots[i]; i = (i + 1) & mask) {
        other = &n->names[set->names + slots[i] - 1];

        if (other->key == key
            && other->len == name->len
            && ngx_memcmp(other->data, name->data, name->len) == 0)
        {
            return NGX_DECLINED;
        }
    }

    if (ngx_ws_mgr_names_push(n, key, name) != NGX_OK) {
        return NGX_ERROR;
    }

    slots[i] = used + 1;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_names_push(ngx_ws_mgr_names_t *n, uint64_t key, ngx_str_t *name)
{
    void               *p;
    ngx_ws_mgr_name_t  *new;

    if (n->nnames == n->names_size) {
        p = ngx_ws_mgr_names_grow(n, n->names,
                                  n->nnames * sizeof(ngx_ws_mgr_name_t),
                                  2 * n->nnames * sizeof(ngx_ws_mgr_name_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        n->names = p;
        n->names_size *= 2;
    }

    new = &n->names[n->nnames++];

    new->key = key;
    new->data = name->data;
    new->len = name->len;

    return NGX_OK;
}


/* makes the table of the set, or doubles it: it is the last of the stack */

static ngx_int_t
ngx_ws_mgr_names_rehash(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set)
{
    void               *p;
    uint32_t            i, k, used, size, *slots;
    ngx_str_t           name;
    ngx_ws_mgr_name_t  *names;

    used = n->nnames - set->names;
    size = ngx_max(2 * (n->nslots - set->slots), 4 * NGX_WS_MGR_NAMES_FEW);

    if (set->slots + size > n->slots_size) {
        p = ngx_ws_mgr_names_grow(n, n->slots, set->slots * sizeof(uint32_t),
                                  2 * (set->slots + size) * sizeof(uint32_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        n->slots = p;
        n->slots_size = 2 * (set->slots + size);
    }

    if (!ngx_ws_mgr_names_keyed) {
        if (RAND_bytes((u_char *) ngx_ws_mgr_names_key,
                       sizeof(ngx_ws_mgr_names_key))
            != 1)
        {
            return NGX_ERROR;
        }

        ngx_ws_mgr_names_keyed = 1;
    }

    names = &n->names[set->names];
    slots = &n->slots[set->slots];

    ngx_memzero(slots, size * sizeof(uint32_t));

    for (k = 0; k < used; k++) {

        if (n->nslots == set->slots) {
            name.data = names[k].data;
            name.len = names[k].len;
            names[k].key = ngx_ws_mgr_names_hash(&name);
        }

        i = names[k].key & (size - 1);

        while (slots[i]) {
            i = (i + 1) & (size - 1);
        }

        slots[i] = k + 1;
    }

    n->nslots = set->slots + size;

    return NGX_OK;
}


static void *
ngx_ws_mgr_names_grow(ngx_ws_mgr_names_t *n, void *old, size_t used,
    size_t size)
{
    void  *p;

    p = ngx_palloc(n->pool, size);
    if (p == NULL) {
        return NULL;
    }

    if (used) {
        ngx_memcpy(p, old, used);
    }

    if (old && old != n->few) {
        (void) ngx_pfree(n->pool, old);
    }

    return p;
}


/* SipHash-1-3 (Aumasson and Bernstein), in the byte order of the machine */

static uint64_t
ngx_ws_mgr_names_hash(ngx_str_t *name)
{
    u_char    *p;
    size_t     len;
    uint64_t   v[4], w;

    v[0] = ngx_ws_mgr_names_key[0] ^ 0x736f6d6570736575ULL;
    v[1] = ngx_ws_mgr_names_key[1] ^ 0x646f72616e646f6dULL;
    v[2] = ngx_ws_mgr_names_key[0] ^ 0x6c7967656e657261ULL;
    v[3] = ngx_ws_mgr_names_key[1] ^ 0x7465646279746573ULL;

    p = name->data;

    for (len = name->len; len >= 8; len -= 8) {
        ngx_memcpy(&w, p, 8);
        p += 8;

        v[3] ^= w;
        ngx_ws_mgr_names_round(v);
        v[0] ^= w;
    }

    w = 0;
    ngx_memcpy(&w, p, len);
    w ^= (uint64_t) name->len << 56;

    v[3] ^= w;
    ngx_ws_mgr_names_round(v);
    v[0] ^= w;

    v[2] ^= 0xff;
    ngx_ws_mgr_names_round(v);
    ngx_ws_mgr_names_round(v);
    ngx_ws_mgr_names_round(v);

    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
