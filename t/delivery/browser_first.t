#!/usr/bin/perl

# Who posts is answered when the sockets of the worker have been sent the event.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_connections user=off;');
    location /ws   { ws_mgr_socket; ws_mgr_ping off; }
    location /api/ { ws_mgr_api; }
CONF

my @sockets = map { $mgr->connect('ann') } 1 .. 200;
my $client = $mgr->client;
my $all = '';

vec($all, fileno $_->{stream}{socket}, 1) = 1 for @sockets;

for my $n (1 .. 10) {
    my $posted = $client->post('/api/events', encode(
        $n % 2 ? { type => 'x', user_id => 'ann' }
               : { events => [ { type => 'x', user_id => 'ann' } ] }));

    is select(my $there = $all, undef, undef, 0), 200, "$n: each has it";
    is $posted->{status}, 200, "$n: accepted";
    $_->event for @sockets;
}
