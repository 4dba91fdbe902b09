
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * RFC 6455 codec: a resumable parser of client frames, the header of server
 * frames, masking, UTF-8, close codes.  No sockets, no allocation.
 */


#ifndef _NGX_WS_MGR_FRAME_H_INCLUDED_
#define _NGX_WS_MGR_FRAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* opcodes, RFC 6455 section 5.2 */
#define NGX_WS_MGR_OP_CONTINUATION  0x0
#define NGX_WS_MGR_OP_TEXT          0x1
#define NGX_WS_MGR_OP_BINARY        0x2
#define NGX_WS_MGR_OP_CLOSE         0x8
#define NGX_WS_MGR_OP_PING          0x9
#define NGX_WS_MGR_OP_PONG          0xa
/* RSV1 beside the opcode: compressed, RFC 7692 section 6 */
#define NGX_WS_MGR_OP_DEFLATED      0x40

/* true of opcodes of control frames, section 5.5 */
#define ngx_ws_mgr_frame_control(opcode)  ((opcode) & 0x8)

/* bytes of the header of an unmasked frame, given its first two */
#define ngx_ws_mgr_frame_header_len(frame)                                    \
    ((size_t) ((frame)[1] < 126 ? 2 : (frame)[1] == 126 ? 4 : 10))

/* close codes, RFC 6455 section 7.4.1, and ours of PROTOCOL section 3 */
#define NGX_WS_MGR_CLOSE_NORMAL       1000
#define NGX_WS_MGR_CLOSE_GOING_AWAY   1001
#define NGX_WS_MGR_CLOSE_PROTOCOL     1002
#define NGX_WS_MGR_CLOSE_UNSUPPORTED  1003
#define NGX_WS_MGR_CLOSE_NONE         1005    /* none was received */
#define NGX_WS_MGR_CLOSE_ABNORMAL     1006    /* no close frame at all */
#define NGX_WS_MGR_CLOSE_INVALID      1007
#define NGX_WS_MGR_CLOSE_POLICY       1008
#define NGX_WS_MGR_CLOSE_TOO_BIG      1009
#define NGX_WS_MGR_CLOSE_INTERNAL     1011
#define NGX_WS_MGR_CLOSE_RESTART      1012
#define NGX_WS_MGR_CLOSE_TRY_LATER    1013
#define NGX_WS_MGR_CLOSE_SLOW         4001
#define NGX_WS_MGR_CLOSE_NO_PONG      4002
#define NGX_WS_MGR_CLOSE_AGE          4003
#define NGX_WS_MGR_CLOSE_KICKED       4005
#define NGX_WS_MGR_CLOSE_BANNED       4501
#define NGX_WS_MGR_CLOSE_REPLACED     4502
#define NGX_WS_MGR_CLOSE_ABUSE        4508

#define NGX_WS_MGR_FRAME_HEADER       10      /* of a server frame, at most */
#define NGX_WS_MGR_FRAME_CONTROL      125     /* payload of a control frame */


/*
 * The parser is fed the bytes as they come and stops at each thing worth
 * telling.  Its state is complete: it resumes at any byte, of a header too.
 * UTF-8 of text is checked as it passes, through fragments, and fails at the
 * first impossible byte (section 8.1).
 */

typedef struct {
    union {
        u_char      head[14];   /* header bytes gathered so far */
        struct {
            uint64_t  rest;     /* payload bytes of this frame to come */
            u_char    mask[4];
        }           body;
    }           u;
    uint64_t    size;           /* payload bytes of the message so far, all
                                   of this frame's included */
    uint32_t    utf8;           /* what may come next, 0: a character */
    uint8_t     nhead;
    uint8_t     opcode;         /* of this frame */
    uint8_t     message:4;      /* opcode of the message */
    uint8_t     nmask:2;        /* index into mask */
    uint8_t     known:1;        /* the owner's, of the message: 0 at first */
    uint8_t     skip:1;         /* the same */
    uint8_t     fin:1;
    uint8_t     open:1;         /* the message has begun and not ended */
    uint8_t     rsv1:1;         /* of the message: compressed */
    uint8_t     payload:1;      /* the header is done: "body" is valid */
    uint8_t     deflate:1;      /* set by the owner: RSV1 is negotiated */
} ngx_ws_mgr_frame_t;


/* results of ngx_ws_mgr_frame_parse() besides NGX_AGAIN */
#define NGX_WS_MGR_FRAME_DATA     1   /* message payload; f->fin not final */
#define NGX_WS_MGR_FRAME_MESSAGE  2   /* the last payload of a message */
#define NGX_WS_MGR_FRAME_CONTROL_DATA  3  /* payload of a control frame */
#define NGX_WS_MGR_FRAME_CONTROL_END   4  /* a control frame is whole */


/*
 * Consumes from *pos up to last and unmasks in place.
 *
 *   FRAME_DATA, FRAME_MESSAGE    "data" (maybe empty) is payload of the
 *                                message f->message; MESSAGE ends it
 *   FRAME_CONTROL_DATA, _END     "data" (maybe empty) is payload of the
 *                                control frame f->opcode; _END ends it
 *   NGX_AGAIN                    all is consumed, more is needed; "data" is
 *                                not set
 *   NGX_ERROR                    *close is the code to close with: 1002,
 *                                1007, or 1009 where the message would be
 *                                longer than max bytes, which is said as
 *                                soon as the header says so
 *
 * Call it again until NGX_AGAIN: one buffer holds many frames.  After an
 * error the state is of no use.  A message with RSV1 may have somewhat more
 * than max bytes as it comes over the wire, since what does not compress
 * grows; its length when inflated and its UTF-8, for which f->utf8 is 0 at
 * first, are left to whoever inflates it.
 */
ngx_int_t ngx_ws_mgr_frame_parse(ngx_ws_mgr_frame_t *f, u_char **pos,
    u_char *last, uint64_t max, ngx_str_t *data, ngx_uint_t *close);

/* zeroes all but "deflate" */
void ngx_ws_mgr_frame_init(ngx_ws_mgr_frame_t *f);

/*
 * The header of an unmasked final server frame; the opcode may have
 * NGX_WS_MGR_OP_DEFLATED with it.  Returns the end of what it wrote:
 * ngx_ws_mgr_frame_header_size() bytes.
 */
u_char *ngx_ws_mgr_frame_header(u_char *p, ngx_uint_t opcode, uint64_t len);
size_t ngx_ws_mgr_frame_header_size(uint64_t len);

/*
 * A whole close frame at p, which has room for 2 + NGX_WS_MGR_FRAME_CONTROL
 * bytes.  1005 and 1006 may not be sent: they make an empty payload.  The
 * reason is ASCII, or NULL, and is cut at what fits.  Returns the end.
 */
u_char *ngx_ws_mgr_frame_close(u_char *p, ngx_uint_t code, const char *reason);

/*
 * Payload of a received close frame (section 5.5.1).  Returns the code,
 * NGX_WS_MGR_CLOSE_NONE where it is empty, or 0 where it is malformed: one
 * byte, a code that may not be sent, a reason that is not UTF-8; *answer is
 * then the code to close with.
 */
ngx_uint_t ngx_ws_mgr_frame_close_parse(ngx_str_t *payload,
    ngx_uint_t *answer);

/* xor in place; "offset" is the number of payload bytes before p */
void ngx_ws_mgr_frame_mask(u_char *p, size_t len, const u_char mask[4],
    ngx_uint_t offset);

/*
 * Incremental UTF-8 (RFC 3629: no surrogates, no overlong forms, at most
 * U+10FFFF).  *state is 0 at the start; NGX_OK: fine so far, and complete if
 * *state is 0; NGX_ERROR: an impossible byte.
 */
ngx_int_t ngx_ws_mgr_frame_utf8(uint32_t *state, const u_char *p,
    const u_char *last);


#endif /* _NGX_WS_MGR_FRAME_H_INCLUDED_ */
