#!/usr/bin/perl

# A session that is too old is asked to come again.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_session_age 500ms; }
    location /off  { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $start = now();
my $old = $mgr->connect('ann');
my $off = $mgr->connect('ann', path => '/off');

is $old->closed, 4003, 'closed with 4003';
ok now() - $start > 0.4, 'and not before its time';
eventually { $mgr->connections_of('ann') == 1 } 'one is left';
is $mgr->counter('ws_mgr_server_closes_total{cause="session_age"}'), 1,
   'counted';
$mgr->post({ type => 'x', user_id => 'ann' });
is $off->event->{type}, 'x', 'the one without an age';
