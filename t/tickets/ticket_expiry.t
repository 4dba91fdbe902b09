#!/usr/bin/perl

# A ticket that was not used in time, and one that was.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF

my @late = map { $mgr->ticket('ann', ttl_seconds => 30) } 1 .. 3;
my $used = $mgr->ticket('ann', ttl_seconds => 30);
my $ann = $mgr->upgrade(ticket => $used);

is $ann->status, 101, 'in time';

# the one test that has to let time pass: the shortest life is 30 s
wait_until { 0 } 30.2 / patience(1);

$mgr->is_problem($mgr->upgrade(ticket => $late[0])->answer, 401,
                 'ticket_expired');

my $soft = $mgr->upgrade(ticket => $late[1], path => '/soft');

is $soft->status, 101, 'in close mode';
is $soft->closed, 1008, 'closed with 1008';
is $soft->close_reason, 'Ticket expired', 'Ticket expired';
is $mgr->counter($mgr->refusal('ticket_expired')), 2, 'both are counted';

is $mgr->upgrade(ticket => $used)->status, 401,
   'the used one opens nothing either';
is $mgr->api(GET => "tickets/$late[2]")->{status}, 410, 'it is gone';

$mgr->post({ type => 'still', user_id => 'ann' });
is(($ann->events(2))[1]{type}, 'still', 'who is in stays in');
