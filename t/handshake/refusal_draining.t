#!/usr/bin/perl

# A worker that goes away lets nobody in any more.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_drain 2s;');
    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF

# an old socket keeps the old worker; two upgrades have begun in it
my $old = $mgr->connect('ann');
my $ticket = $mgr->ticket('bob');
my ($hard, $soft) = map {
    $mgr->begin_upgrade(ticket => $ticket, path => $_, hesitant => 1)
} '/ws', '/soft';

# that they are in is known only by what came after them
is $mgr->connect('eve')->status, 101, 'a later upgrade';
ok $mgr->reload, 'a new worker';
is $old->event->{type}, 'server_shutdown', 'the old one says goodbye';

$_->go_on for $hard, $soft;
$mgr->is_problem($hard->finish->answer, 503, 'draining');
like $hard->header('retry-after'), qr/^\d+$/, 'Retry-After';
is $soft->finish->status, 101, 'in close mode';
is $soft->closed, 1012, 'closed with 1012';
is $mgr->counter($mgr->refusal('draining')), 2, 'counted';

is $mgr->upgrade(ticket => $ticket)->status, 101, 'the ticket has survived';
