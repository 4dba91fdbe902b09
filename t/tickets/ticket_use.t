#!/usr/bin/perl

# A ticket opens the door once, or as often as it says.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $once = $mgr->ticket('ann');

is $mgr->upgrade(ticket => $once)->event->{user_id}, 'ann', 'let in';

for (1 .. 3) {
    my $refused = $mgr->upgrade(ticket => $once);

    $mgr->is_problem($refused->answer, 401, 'ticket_used');
}

my $often = $mgr->ticket('bob', single_use => JSON::PP::false);

is $mgr->upgrade(ticket => $often)->event->{user_id}, 'bob', "time $_"
    for 1 .. 5;

$mgr->counts('ws_mgr_tickets_total{result="issued"}', 1,
             sub { $mgr->ticket('eve') });
$mgr->counts('ws_mgr_tickets_total{result="consumed"}', 1,
             sub { $mgr->connect('eve') });
