
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_user_wait.h>


static ngx_queue_t  ngx_ws_mgr_waits;


void
ngx_ws_mgr_wait_init(void)
{
    ngx_queue_init(&ngx_ws_mgr_waits);
}


ngx_uint_t
ngx_ws_mgr_wait_none(void)
{
    return ngx_queue_empty(&ngx_ws_mgr_waits);
}


ngx_int_t
ngx_ws_mgr_wait_begin(ngx_ws_mgr_wait_t *wait, ngx_str_t *user)
{
    if (ngx_ws_mgr_member_wait(user, &wait->member) != NGX_OK) {
        wait->member = NULL;
        return NGX_ERROR;
    }

    wait->user = *user;
    wait->waiting = 1;
    ngx_queue_insert_tail(&ngx_ws_mgr_waits, &wait->queue);

    return NGX_OK;
}


void
ngx_ws_mgr_wait_end(ngx_ws_mgr_wait_t *wait)
{
    if (wait->waiting) {
        wait->waiting = 0;
        ngx_queue_remove(&wait->queue);
    }

    if (wait->member) {
        ngx_ws_mgr_member_unwait(&wait->user);
        wait->member = NULL;
    }
}


void
ngx_ws_mgr_wait_lose(ngx_uint_t shard)
{
    ngx_queue_t        *q;
    ngx_ws_mgr_wait_t  *wait;

    for (q = ngx_queue_head(&ngx_ws_mgr_waits);
         q != ngx_queue_sentinel(&ngx_ws_mgr_waits);
         q = ngx_queue_next(q))
    {
        wait = ngx_queue_data(q, ngx_ws_mgr_wait_t, queue);

        if (ngx_ws_mgr_shard_index(&wait->user) == shard) {
            wait->member = NULL;
        }
    }
}


void
ngx_ws_mgr_wait_resume(void)
{
    ngx_queue_t        *q, *next;
    ngx_ws_mgr_wait_t  *wait;

    for (q = ngx_queue_head(&ngx_ws_mgr_waits);
         q != ngx_queue_sentinel(&ngx_ws_mgr_waits);
         q = next)
    {
        next = ngx_queue_next(q);
        wait = ngx_queue_data(q, ngx_ws_mgr_wait_t, queue);

        if (wait->member == NULL) {

            if (ngx_ws_mgr_member_wait(&wait->user, &wait->member) != NGX_OK) {
                wait->member = NULL;
            }

            wait->changed(wait);
        }
    }
}


void
ngx_ws_mgr_wait_serve(ngx_ws_mgr_member_t *member)
{
    ngx_queue_t        *q, *next;
    ngx_ws_mgr_wait_t  *wait;

    for (q = ngx_queue_head(&ngx_ws_mgr_waits);
         q != ngx_queue_sentinel(&ngx_ws_mgr_waits);
         q = next)
    {
        next = ngx_queue_next(q);
        wait = ngx_queue_data(q, ngx_ws_mgr_wait_t, queue);

        if (wait->member == member) {
            wait->changed(wait);
        }
    }
}


void
ngx_ws_mgr_wait_stir(ngx_str_t *user)
{
    ngx_queue_t        *q, *next;
    ngx_ws_mgr_wait_t  *wait;

    for (q = ngx_queue_head(&ngx_ws_mgr_waits);
         q != ngx_queue_sentinel(&ngx_ws_mgr_waits);
         q = next)
    {
        next = ngx_queue_next(q);
        wait = ngx_queue_data(q, ngx_ws_mgr_wait_t, queue);

        if (wait->user.len == user->len
            && ngx_memcmp(wait->user.data, user->data, user->len) == 0)
        {
            wait->changed(wait);
        }
    }
}
