#!/usr/bin/perl

# An operator sends a socket or a user away, in every worker.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 6;
my $bob = $mgr->connect('bob');
my $one = shift @ann;

is $mgr->api(DELETE => "connections/$one->{id}")->{status}, 200, 'one socket';
is $one->closed, 4005, 'which may come back';
eventually { $mgr->connections_of('ann') == 5 } 'five are left';

$one = shift @ann;
$mgr->api(DELETE => "connections/$one->{id}?return=no");
is $one->closed, 4501, 'another may not';
like $one->close_reason, qr/^[ -~]{0,123}$/, 'the reason is ASCII';

is $mgr->api(DELETE => 'users/ann')->{status}, 200, 'all of a user';
is $_->closed, 4005, 'sent away' for @ann;
eventually { $mgr->connections_of('ann') == 0 } 'all gone';

my @eve = map { $mgr->connect('eve') } 1 .. 4;

is $mgr->api(DELETE => 'users/eve?return=no')->{status}, 200, 'for good';
is $_->closed, 4501, 'sent away' for @eve;
ok $_->ended, 'and closed' for @eve;

is $mgr->counter('ws_mgr_server_closes_total{cause="operator"}'), 10,
   'each is counted';

$mgr->is_problem($mgr->api(DELETE => 'users/nobody'), 404, 'user_unknown');
$mgr->is_problem($mgr->api(DELETE => "connections/$one->{id}"), 404,
                 'connection_unknown', 'once is enough');
is $mgr->connect('ann')->status, 101, 'ann may come back';
$mgr->post({ type => 'still', user_id => 'bob' });
is $bob->event->{type}, 'still', 'bob was not disturbed';
