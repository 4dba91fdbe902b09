#!/usr/bin/perl

# A plain echo server, for conformance tests and diagnosis.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_forward echo;
                     ws_mgr_message_size 1m; ws_mgr_message_rate 10000/s burst=10000;
                     ws_mgr_connections user=2; }
    location /api/ { ws_mgr_api; }
CONF

is $mgr->upgrade->status, 401, 'tickets as ever';

my $ann = $mgr->upgrade(ticket => $mgr->ticket('ann'));

for my $n (0, 1, 125, 126, 65_535, 65_536, 1_048_576) {
    my $payload = join '', map { chr rand 256 } 1 .. $n;

    $ann->binary($payload);

    my $echo = $ann->message;

    is $echo->{opcode}, 2, "binary of $n bytes";
    ok $echo->{payload} eq $payload, 'unchanged';
}

for my $text ('', '{"type":"ping"}', 'not JSON', 'x' x 200_000) {
    $ann->text($text);
    is $ann->next_text, $text, 'text: ' . substr $text, 0, 20;
}

$ann->frame(1, 'in ', fin => 0);
$ann->frame(9, 'ping');
$ann->frame(0, 'pieces');
is $ann->next_text, 'in pieces', 'a message in pieces';
is_deeply $ann->{pongs}, [ 'ping' ], 'and a pong';

# many at once
$ann->raw(join '', map { Test::WsMgr::WebSocket::build_frame(1, "n$_") }
                   1 .. 500);
is_deeply [ map { $ann->next_text } 1 .. 500 ], [ map { "n$_" } 1 .. 500 ],
          'five hundred in one packet';

my $second = $mgr->upgrade(ticket => $mgr->ticket('ann'));

is $second->status, 101, 'a second';
is $mgr->upgrade(ticket => $mgr->ticket('ann'))->status, 429,
   'limits as ever';
$ann->text("\xff");
is $ann->closed, 1007, 'and the rules of the protocol';
