#!/usr/bin/perl

# Who sends too much that is bad is sent away for good.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_message_rate 10000/s burst=10000; }
    location /rate { ws_mgr_socket; ws_mgr_message_rate 1/s burst=5; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');

# some are forgiven, each with an error; many are not
for (1 .. 10) {
    $ann->text('nonsense');
    is $ann->event->{type}, 'error', 'forgiven';
}

$ann->text('nonsense') for 1 .. 200;
is $ann->closed, 4508, 'in the end 4508';
like $ann->close_reason, qr/^[ -~]{0,123}$/, 'the reason is ASCII';
is $mgr->counter('ws_mgr_server_closes_total{cause="bad_messages"}'), 1,
   'counted';

# within the rate, and over it
my $bob = $mgr->connect('bob', path => '/rate');

$bob->say({ type => 'ping', ts => $_ }) for 1 .. 5;
is $_->{type}, 'pong', 'within the burst' for $bob->events(5);

$mgr->counts('ws_mgr_messages_rate_limited_total', 3, sub {
    $bob->say({ type => 'ping', ts => $_ }) for 1 .. 3;

    for my $error ($bob->events(3)) {
        is $error->{type}, 'error', 'over it';
        is $error->{code}, 'rate_limited', 'for that reason';
    }
});

my $event = {};

wait_until {
    $bob->say({ type => 'ping', ts => 'later' });
    wait_until { 0 } 0.3;
    ($event = $bob->event)->{type} eq 'pong';
};
is $event->{type}, 'pong', 'a second later it is one of a second again';
