#!/usr/bin/perl

# For pages, which cannot see pings, there is a heartbeat.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_heartbeat 200ms; }
    location /off  { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my $off = $mgr->connect('ann', path => '/off');
my $start = now();

for my $beat ($ann->events(4)) {
    is $beat->{type}, 'heartbeat', 'a heartbeat';
    ok abs($beat->{ts} / 1000 - time) < 60, 'with the time';
}

ok now() - $start > 0.5, 'not all at once';

$mgr->post({ type => 'x', user_id => 'ann' });
is $off->event->{type}, 'x', 'none where it is off';
is(($ann->events_to('x'))[-1]{type}, 'x', 'events come between');
