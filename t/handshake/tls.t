#!/usr/bin/perl

# The same over TLS.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', tls => 1, workers => 2, http => 'ws_mgr_log bytes=4m;');
    location /ws   { ws_mgr_socket; ws_mgr_forward off; }
    location /echo { ws_mgr_socket; ws_mgr_forward echo; ws_mgr_message_size 1m; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann', tls => 1) } 1 .. 4;
my $plain = $mgr->connect('ann');

for my $n (1 .. 20) {
    $mgr->post({ type => 'n', user_id => 'ann', n => $n,
                 pad => 'x' x (100 * $n * $n) });
}

for my $socket (@ann, $plain) {
    is_deeply [ map { $_->{n} } $socket->events(20) ], [ 1 .. 20 ],
              'all, in order';
}

# more than the kernel takes while nobody reads
my $slow = $mgr->connect('bob', tls => 1,
                         to => 'unix:' . $mgr->path('tls.sock'));
my $pad = 'x' x 50_000;

$mgr->post(qq/{"type":"n","user_id":"bob","n":$_,"pad":"$pad"}/)
    for 1 .. 40;
is_deeply [ map { $slow->next_text =~ /"n":(\d+),"pad":"$pad"/ } 1 .. 40 ],
          [ 1 .. 40 ], 'slowly';

my $echo = $mgr->upgrade(ticket => $mgr->ticket('eve'), path => '/echo',
                         tls => 1);
my $text = join '', map { chr(32 + rand 90) } 1 .. 500_000;

$echo->text($text);
ok $echo->next_text eq $text, 'half a megabyte there and back';

$ann[0]->say({ type => 'ping' });
is $ann[0]->event->{type}, 'pong', 'messages';
is $ann[0]->close(1000), 1000, 'goodbye';
ok $ann[0]->ended, 'ended';
$ann[1]->drop;
$ann[2]->abort;
eventually { $mgr->connections_of('ann') == 2 } 'however they go';
is $mgr->api(DELETE => 'users/ann')->{status}, 200, 'sent away';
is $_->closed, 4005, 'told so' for $ann[3], $plain;
