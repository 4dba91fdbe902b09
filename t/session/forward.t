#!/usr/bin/perl

# Client messages to the agent backend: a POST each, in order, with who sent it
# in the header; what the answer means.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Backend;

my $backend = Test::WsMgr::Backend->start;

my $mgr = manager(<<"CONF", workers => 2, http => <<"HTTP");
    location /ws   { ws_mgr_socket; ws_mgr_forward /agent?from=ws;
                     ws_mgr_message_size 4m;
                     ws_mgr_message_rate 100000/s burst=100000; }
    location /dead { ws_mgr_socket; ws_mgr_forward /nobody; }
    location /off  { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }

    location /agent {
        internal;
        proxy_pass http://agent;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Real-IP \$remote_addr;
        proxy_read_timeout 2s;
        client_max_body_size 10m;
    }

    location /nobody { internal; proxy_pass http://127.0.0.1:1; }
CONF
    upstream agent { server $backend->{address}; keepalive 4; }
HTTP

sub answering { { status => $_[0], @_ > 1 ? (body => $_[1]) : () } }

my $ann = $mgr->connect('ann');

# --- what arrives ---

my $said = '{ "type":"chat",  "text":"h\u00e9llo", "n":1.50 }';

$ann->text($said);
my $got = $backend->request;

is $got->{method}, 'POST', 'a POST';
is $got->{uri}, '/agent?from=ws', 'to the location, with its query';
is $got->{body}, $said, 'the message, byte for byte';
is $got->{headers}{'content-type'}, 'application/json', 'is JSON';
is $got->{headers}{'x-ws-user'}, 'ann', 'from ann';
is $got->{headers}{'x-ws-connection'}, $ann->{id}, 'of this connection';
is $got->{headers}{'x-ws-thread'}, undef, 'that shows no thread';
is $got->{headers}{'x-ws-permissions'}, undef, 'and has no permissions';
is $got->{headers}{'x-real-ip'}, '127.0.0.1', 'her address';

$ann->binary("\x00\xff\x80");
$got = $backend->request;
is $got->{headers}{'content-type'}, 'application/octet-stream',
   'a binary message is never JSON';
is length $got->{body}, 3, 'and arrives';

my $bob = $mgr->upgrade(ticket => $mgr->ticket("b\x{f6}b ",
                                permissions => [ 'read', 'agent:execute' ]));
$bob->event;
$bob->text(encode({ type => 'thread_switched',
                    thread_id => "a%\r\nX-WS-User: root" }));
$bob->text('{"type":"chat"}');
$got = $backend->request;

is $got->{headers}{'x-ws-permissions'}, 'read agent:execute', 'permissions';
is $got->{headers}{'x-ws-thread'}, 'a%25%0D%0AX-WS-User: root',
   'a thread cannot add a header field';
like $got->{headers}{'x-ws-user'}, qr/^b..b ?$/, 'nor change the user';

my $long = encode({ type => 'long', text => 'x' x 1_500_000 });

$ann->text($long);
ok $backend->request->{body} eq $long, 'a message of 1.5 MB';

# --- what is ours stays ours ---

$ann->text('{"type":"ping","ts":7}');
is $ann->event->{type}, 'pong', 'a ping is answered here';
$ann->text('not JSON');
is $ann->event->{code}, 'invalid_message', 'what is no message is refused';
$ann->text('{"type":"after"}');
is $backend->request->{message}{type}, 'after', 'and did not get there';

my $off = $mgr->connect('ann', path => '/off');
$off->text('{"type":"chat","ref":"r"}');
my $error = $off->event;
is $error->{code}, 'no_forward', 'a location without forwards nothing';

# --- order ---

$ann->text(encode({ type => 'n', n => $_,
                    answer => { status => 204, delay => rand 0.01 } }))
    for 1 .. 60;
is_deeply [ map { $backend->request->{message}{n} } 1 .. 60 ], [ 1 .. 60 ],
          'one after the other';

# --- what the answer means ---

# asks for an answer and says the code of the error frame
sub refusal {
    my ($answer) = @_;

    $ann->text(encode({ type => 'q', ref => 'r1', answer => $answer }));
    $backend->request;

    my $frame = $ann->event;

    is $frame->{type}, 'error', 'an error frame' or diag(encode($frame));
    is $frame->{ref}, 'r1', 'with the ref of the message';

    return $frame->{code};
}

my @cases = (
    [ 'forward_refused', 'refused', answering(400) ],
    [ 'forward_refused', 'refused', answering(422, '{"type":"no_event"}') ],
    [ 'forward_failed', 'failed', answering(500) ],
    [ 'forward_failed', 'failed', answering(302) ],
    [ 'forward_failed', 'failed', answering(0) ],
    [ 'forward_failed', 'failed', answering(200, 'x' x 100_000) ],
    [ 'forward_timeout', 'timeout', answering(-1) ],
);

for my $case (@cases) {
    my ($code, $result, $answer) = @$case;

    $mgr->counts("ws_mgr_forwarded_total{result=\"$result\"}", 1, sub {
        is refusal($answer), $code,
           "$code: " . substr encode($answer), 0, 40;
    });
}

my $dead = $mgr->connect('dan', path => '/dead');
$dead->text('{"type":"chat","event_id":"e"}');
$error = $dead->event;
is_deeply [ @$error{qw/ code ref /} ], [ 'forward_failed', 'e' ],
          'nobody there';

# an event
$ann->text(encode({ type => 'q', answer => answering(200,
    '{"type":"agent_answer", "thread_id":"t", "text":"hi \u00e9", "x":1.50}')
}));
$backend->request;
my $frame = $ann->next_text;
like $frame, qr/^\{"id":"[^"]+","seq":\d+,"ts":\d+,"user_id":"ann",/,
     'a JSON answer is an event';
like $frame, qr/"type":"agent_answer", "thread_id":"t", .*"x":1\.50\}$/,
     'byte for byte';

$off->text('{"type":"ping"}');
is $off->event->{type}, 'pong', 'and for no other connection';

# acknowledgements
for my $body ('{"ok":true}', '"fine"', '[]', 'null', '') {
    $ann->text(encode({ type => 'q', answer => answering(200, $body) }));
    $backend->request;
}
$ann->text(encode({ type => 'q', answer =>
                    { status => 201, type => 'text/html', body => '<p>' } }));
$backend->request;
$ann->text('{"type":"ping"}');
is $ann->event->{type}, 'pong', 'other answers are acknowledgements';

# what claims to be an event and is none
for my $body ('{"type":"x","user_id":"bob"}', '{"type":"x","id":"1"}', '{"ty',
              '{"type":"x","user_ids":["ann"]}')
{
    $mgr->counts('ws_mgr_forward_bad_answers_total', 1, sub {
        is refusal(answering(200, $body)), 'forward_bad_answer', $body;
    });
}

# --- a client that leaves ---

$mgr->counts('ws_mgr_forward_late_total', 2, sub {
    my $eve = $mgr->connect('eve');

    $eve->text(encode({ type => 'last', n => $_,
                        answer => { delay => 0.05, %{ answering(500) } } }))
        for 1, 2;
    is $backend->request->{message}{n}, 1, 'on its way';
    $eve->close;
    is $backend->request->{message}{n}, 2, 'what was said before goes on';
    wait_until { $mgr->counter('ws_mgr_forwarded_total{result="failed"}') >= 7 };
});

# --- bounds ---

$mgr->counts('ws_mgr_forwarded_total{result="busy"}', 1, sub {
    my $fay = $mgr->connect('fay');

    $fay->text(encode({ type => 'slow', answer => { delay => 0.3 } }));
    $backend->request;
    $fay->text(encode({ type => 'n', ref => "r$_" })) for 2 .. 65;

    $error = $fay->event;
    is_deeply [ @$error{qw/ code ref /} ], [ 'forward_busy', 'r65' ],
              'the sixty-fifth that waits';
    is_deeply [ map { $backend->request->{message}{ref} } 2 .. 64 ],
              [ map { "r$_" } 2 .. 64 ], 'the others arrive';
});

$mgr->counts('ws_mgr_forwarded_total{result="busy"}', 1, sub {
    $ann->text(encode({ type => 'slow', answer => { delay => 0.3 } }));
    $backend->request;
    $ann->text(encode({ type => 'n', text => 'x' x 600_000 })) for 1, 2;

    is $ann->event->{code}, 'forward_busy', 'more than 1 MB that waits';
    $backend->request;
});
