
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_ticket_mask.h>


#define NGX_WS_MGR_MASK_TICKET  43         /* characters of a ticket */


/* of a log that masks; log->wdata points here */

typedef struct {
    ngx_log_t          *log;
    ngx_log_writer_pt   writer;            /* its own, or NULL: its file */
    void               *wdata;
} ngx_ws_mgr_mask_t;


static u_char *ngx_ws_mgr_mask_find(u_char *start, u_char *p, u_char *last);
static u_char *ngx_ws_mgr_mask_json(u_char *p, u_char *last);
static u_char *ngx_ws_mgr_mask_skip(u_char *p, u_char *last,
    const char *name);
static u_char *ngx_ws_mgr_mask_end(u_char *p, u_char *last);
static void ngx_ws_mgr_mask_bare(u_char *p, u_char *last, ngx_uint_t longer);
static void ngx_ws_mgr_mask_restore(void *data);
static void ngx_ws_mgr_mask_write(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len);


#define ngx_ws_mgr_mask_is_word(c)                                            \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z')                 \
     || ((c) >= '0' && (c) <= '9') || (c) == '-' || (c) == '_')


ngx_uint_t
ngx_ws_mgr_mask_tickets(u_char *p, u_char *last)
{
    u_char      *start, *value;
    ngx_uint_t   n;

    start = p;
    n = 0;

    while (p < last) {

        if (*p != 't' && *p != 'T' && *p != '%') {
            p++;
            continue;
        }

        value = ngx_ws_mgr_mask_find(start, p, last);

        if (value == NULL) {
            p++;
            continue;
        }

        p = ngx_ws_mgr_mask_end(value, last);

        if (p > value) {
            ngx_memset(value, '*', p - value);
            n++;
        }
    }

    return n;
}


/* where the ticket begins if p is at its name, or NULL */

static u_char *
ngx_ws_mgr_mask_find(u_char *start, u_char *p, u_char *last)
{
    u_char  *name, *value;

    name = ngx_ws_mgr_mask_skip(p, last, "ticket");
    if (name == NULL) {
        return NULL;
    }

    value = ngx_ws_mgr_mask_skip(name, last, "s/");
    if (value) {
        return value;
    }

    value = ngx_ws_mgr_mask_skip(name, last, ".");
    if (value) {

        /* "/ticket.html" and "my-ticket.css" are no tokens of a list */

        if (p > start
            && (ngx_ws_mgr_mask_is_word(p[-1]) || p[-1] == '/'
                || p[-1] == '.'))
        {
            return NULL;
        }

        return value;
    }

    value = ngx_ws_mgr_mask_skip(name, last, "_id");
    if (value) {
        name = value;
    }

    value = ngx_ws_mgr_mask_skip(name, last, "=");
    if (value) {
        return value;
    }

    return ngx_ws_mgr_mask_json(name, last);
}


/* behind `":"` with white space in it, or NULL */

static u_char *
ngx_ws_mgr_mask_json(u_char *p, u_char *last)
{
    const char  *s;

    for (s = "\":\""; *s; s++) {

        while (p < last && *p == ' ') {
            p++;
        }

        if (p == last || *p++ != (u_char) *s) {
            return NULL;
        }
    }

    return p;
}


/* behind the name, which may be percent-encoded, or NULL */

static u_char *
ngx_ws_mgr_mask_skip(u_char *p, u_char *last, const char *name)
{
    ngx_int_t  c;

    for ( /* void */ ; *name; name++) {

        if (p == last) {
            return NULL;
        }

        c = *p++;

        if (c == '%') {

            if (last - p < 2) {
                return NULL;
            }

            c = ngx_hextoi(p, 2);
            p += 2;
        }

        if (ngx_tolower(c) != *name) {
            return NULL;
        }
    }

    return p;
}


static u_char *
ngx_ws_mgr_mask_end(u_char *p, u_char *last)
{
    while (p < last
           && *p > ' ' && *p != '&' && *p != '#' && *p != '?' && *p != ','
           && *p != '"' && *p != '\'')
    {
        p++;
    }

    return p;
}


/*
 * Masks what has the form of a ticket, whatever stands before it: as many
 * characters in a row as a ticket has, or with "longer" at least so many.
 * Of 10^9 random tickets less than one is without both letter cases, which
 * tells a ticket from a hash in hexadecimal and from most names of files.
 */

static void
ngx_ws_mgr_mask_bare(u_char *p, u_char *last, ngx_uint_t longer)
{
    u_char      *start;
    ngx_uint_t   lower, upper;

    while (p < last) {
        start = p;
        lower = 0;
        upper = 0;

        while (p < last && ngx_ws_mgr_mask_is_word(*p)) {
            lower |= (*p >= 'a' && *p <= 'z');
            upper |= (*p >= 'A' && *p <= 'Z');
            p++;
        }

        if (lower && upper
            && (p - start == NGX_WS_MGR_MASK_TICKET
                || (longer && p - start > NGX_WS_MGR_MASK_TICKET)))
        {
            ngx_memset(start, '*', p - start);
        }

        while (p < last && !ngx_ws_mgr_mask_is_word(*p)) {
            p++;
        }
    }
}


ngx_int_t
ngx_ws_mgr_mask_logs(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    if (ngx_ws_mgr_mask_log(&cycle->new_log, cycle->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    /* an accepted connection begins with a copy of the listening one's */

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {
        if (ngx_ws_mgr_mask_log(&ls[i].log, cycle->pool) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_mask_log(ngx_log_t *log, ngx_pool_t *pool)
{
    ngx_ws_mgr_mask_t   *mask;
    ngx_pool_cleanup_t  *cln;

    for ( /* void */ ; log; log = log->next) {

        if (log->writer == ngx_ws_mgr_mask_write) {
            continue;
        }

        /* a module is unloaded by a cleanup of this pool that was added
           earlier, so runs later; the pool's end is logged after that */

        cln = ngx_pool_cleanup_add(pool, sizeof(ngx_ws_mgr_mask_t));
        if (cln == NULL) {
            return NGX_ERROR;
        }

        mask = cln->data;
        mask->log = log;
        mask->writer = log->writer;
        mask->wdata = log->wdata;

        cln->handler = ngx_ws_mgr_mask_restore;

        log->wdata = mask;
        log->writer = ngx_ws_mgr_mask_write;
    }

    return NGX_OK;
}


static void
ngx_ws_mgr_mask_restore(void *data)
{
    ngx_ws_mgr_mask_t  *mask = data;

    mask->log->writer = mask->writer;
    mask->log->wdata = mask->wdata;
}


/* where the log had no writer: what ngx_log_error_core() does then */

static void
ngx_ws_mgr_mask_write(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len)
{
    ssize_t             n;
    ngx_log_t           own;
    ngx_ws_mgr_mask_t  *mask;

    mask = log->wdata;

    (void) ngx_ws_mgr_mask_tickets(buf, buf + len);
    ngx_ws_mgr_mask_bare(buf, buf + len, level == NGX_LOG_DEBUG);

    if (mask->writer) {
        own = *log;
        own.writer = mask->writer;
        own.wdata = mask->wdata;

        own.writer(&own, level, buf, len);
        return;
    }

    if (log->disk_full_time == ngx_time()) {
        return;
    }

    /* it will be echoed to stderr by the caller, who cannot know of this */

    if (ngx_use_stderr && level <= NGX_LOG_WARN
        && log->file->fd == ngx_stderr)
    {
        return;
    }

    n = ngx_write_fd(log->file->fd, buf, len);

    if (n == -1 && ngx_errno == NGX_ENOSPC) {
        log->disk_full_time = ngx_time();
    }
}
