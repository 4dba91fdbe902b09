#!/usr/bin/perl

# What a client may say, and what it is answered.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_message_rate 1000/s burst=1000; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');

for my $ts ('12345678901234567890', '1.50', '"text"', 'null', '{"a":[1]}') {
    $ann->text("{\"type\":\"ping\",\"ts\":$ts}");

    my $pong = $ann->event;

    is $pong->{type}, 'pong', 'a pong';
    ok abs($pong->{ts} / 1000 - time) < 60, 'with the time of the server';
    like $ann->{raw}, qr/"echo":\Q$ts\E[,}]/, "and what was said: $ts";
}

$ann->say({ type => 'ping' });
is $ann->event->{type}, 'pong', 'a ping without ts';

# what was handled well has no answer
my $seq = $mgr->post({ type => 'x', user_id => 'ann' })->{seq};
$ann->event;
$ann->say({ type => 'ack', seq => $seq });
$ann->say({ type => 'thread_switched', thread_id => 't' });

# the text, and the code of the error
my @refused = (
    [ '{"type":"user_message","text":"hi","event_id":"m1"}', 'no_forward' ],
    [ '{"type":"anything.else"}', 'no_forward' ],
    [ 'hello' ], [ '' ], [ '{' ], [ '[]' ], [ '7' ], [ 'null' ],
    [ '{}' ], [ '{"type":7}' ], [ '{"type":null}' ], [ '{"type":""}' ],
    [ '{"type":"ping","type":"ping"}' ],
    [ '{"type":"ack"}' ], [ '{"type":"ack","seq":"1"}' ],
    [ '{"type":"ack","seq":-1}' ], [ '{"type":"ack","seq":999999}' ],
    [ '{"type":"thread_switched","thread_id":7}' ],
    [ '{"type":"thread_switched","thread_id":"' . 'x' x 256 . '"}' ],
    [ '{"type":"event_confirmation"}' ],
    [ '{"type":"event_confirmation","id":"nonsense","status":"confirmed"}' ],
    [ '{"type":"a":1}' ], [ '[' x 10_000 ],
);

for (@refused) {
    my ($text, $code) = @$_;

    # a socket has only so much patience
    my $eve = $mgr->connect('eve');

    $mgr->counts('ws_mgr_messages_refused_total', 1, sub {
        $eve->text($text);

        my $error = $eve->event;
        my $name = substr $text, 0, 60;

        is $error->{type}, 'error', "refused: $name";
        like $error->{code}, qr/^[a-z_]+$/, 'with a code';
        ok length $error->{message}, 'and a message';
        is $error->{code}, $code, $code if $code;
    });

    $eve->close(1000);
}

$ann->text('{"type":"chat","ref":"r-1"}');
is $ann->event->{ref}, 'r-1', 'the error names what it is about';

$ann->binary('{"type":"ping"}');
my $error = $ann->event;
is $error->{type}, 'error', 'binary is never mistaken for text';
is $error->{code}, 'no_forward', 'it could only be forwarded';

$ann->say({ type => 'ping' });
is $ann->event->{type}, 'pong', 'the socket goes on';
is $ann->close(1000), 1000, 'and ends well';
