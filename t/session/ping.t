#!/usr/bin/perl

# A peer that is silent is asked, and given up.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_ping 400ms 400ms; }
    location /off  { ws_mgr_socket; ws_mgr_ping off; }
    location /api/ { ws_mgr_api; }
CONF

my $start = now();
my $alive = $mgr->connect('alive');
my $dead = $mgr->connect('dead', auto_pong => 0);
my $noisy = $mgr->connect('noisy', auto_pong => 0);
my $talker = $mgr->connect('talker', auto_pong => 0);
my $off = $mgr->connect('off', path => '/off', auto_pong => 0);

# any inbound frame is a sign of life, and a JSON pong is not asked for
while (now() - $start < 3) {
    $alive->message(0.05 / patience(1));
    $noisy->frame(10, 'unasked');
    $noisy->message(0.05 / patience(1));
    $talker->say({ type => 'ping' });
    $talker->message(0.05 / patience(1));
}

is $dead->closed, 4002, 'who does not answer is closed with 4002';
is $mgr->counter('ws_mgr_server_closes_total{cause="no_pong"}'), 1, 'counted';
is $alive->closed(0.01), 0, 'who answers is not';
is $noisy->closed(0.01), 0, 'nor who sends pongs unasked';
is $talker->closed(0.01), 0, 'nor who talks';
is $off->closed(0.01), 0, 'nor who is not asked';

ok $alive->{pings} >= 3, "asked $alive->{pings} times in three seconds";
is $off->{pings}, 0, 'never asked where it is off';
is_deeply [ map { scalar $mgr->connections_of($_) }
            qw/ alive dead noisy talker off / ],
          [ 1, 0, 1, 1, 1 ], 'the registry';
