#!/usr/bin/perl

# A plain echo server, for conformance tests and diagnosis.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_forward echo;
                     ws_mgr_message_size 1m;
                     ws_mgr_connections user=2; }
    location /rate { ws_mgr_socket; ws_mgr_forward echo;
                     ws_mgr_message_rate 1/s burst=3; }
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
                   1 .. 1000);
is_deeply [ map { $ann->next_text } 1 .. 1000 ], [ map { "n$_" } 1 .. 1000 ],
          'a thousand in one packet';

# no rate but one that is asked for
my $bob = $mgr->upgrade(path => '/rate', ticket => $mgr->ticket('bob'));

$bob->text("n$_") for 1 .. 4;
is_deeply [ map { $bob->next_text } 1 .. 3 ], [ map { "n$_" } 1 .. 3 ],
          'what is within the rate of the location';
is $bob->event->{code}, 'rate_limited', 'and what is over it';

# a ping that comes in pieces, and its payload as it was
for my $piece (unpack '(a9)*',
               Test::WsMgr::WebSocket::build_frame(9, 'piece by piece'))
{
    $ann->raw($piece);
    wait_until { 0 } 0.1;
}

$ann->text('then');
is $ann->next_text, 'then', 'after it';
is $ann->{pongs}[-1], 'piece by piece', 'the whole payload';

# more than the kernel takes while nobody reads
my $slow = $mgr->upgrade(ticket => $mgr->ticket('zoe'), to => $mgr->unix);

$slow->text($_ x 50_000) for 1 .. 7;
wait_until { 0 } 0.2;
$slow->frame(9, 'meanwhile');
is_deeply [ map { $slow->next_text } 1 .. 7 ], [ map { $_ x 50_000 } 1 .. 7 ],
          'unharmed';
$slow->text('and');
is $slow->next_text, 'and', 'goes on';
is_deeply $slow->{pongs}, [ 'meanwhile' ], 'its ping was answered';

my $second = $mgr->upgrade(ticket => $mgr->ticket('ann'));

is $second->status, 101, 'a second';
is $mgr->upgrade(ticket => $mgr->ticket('ann'))->status, 429,
   'limits as ever';
$ann->text("\xff");
is $ann->closed, 1007, 'and the rules of the protocol';
