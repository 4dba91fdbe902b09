#!/usr/bin/perl

# Workers that end while Redis is silent: questions that are under way have
# their answer, or their deadline, first; nothing else of Redis keeps a worker.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my $http = 'ws_mgr_redis ' . $redis->unix . ' timeout=20s;';

my $mgr = manager(<<'CONF', http => $http . 'ws_mgr_drain 1ms;');
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

# a worker's connections to Redis end with it
sub connections {
    return scalar(() = $redis->say(CLIENT => 'LIST') =~ /^id=/mg) - 1;
}

sub begin_asking {
    my ($ticket) = @_;
    my $asked = $mgr->counter('ws_mgr_redis_commands_total');
    my $upgrade = $mgr->begin_upgrade(ticket => $ticket);

    wait_until { $mgr->counter('ws_mgr_redis_commands_total') > $asked };

    return $upgrade;
}

eventually { connections() == 1 } 'a worker, a connection';

# idle
ok $mgr->reload, 'reload';
eventually { connections() == 1 } 'the old one went with its worker';

# with a question that is answered before its time is over
$redis->say(CLIENT => PAUSE => 150, 'ALL');

my $upgrade = begin_asking('x' x 43);

ok $mgr->reload, 'reload while Redis pauses';
$mgr->is_problem($upgrade->finish->answer, 401, 'ticket_invalid',
                 'the old worker has its answer');
eventually { connections() == 1 } 'and went';

# with one that is not
$redis->signal('STOP');
$upgrade = begin_asking('x' x 43);
ok $mgr->reload, 'reload while Redis hangs';
$mgr->is_problem($upgrade->finish->answer, 503, 'ticket_store_unavailable',
                 'its deadline comes first');

# the old worker is gone though its connection would wait for 20 seconds, and
# though the PING of each second has no answer
eventually { $mgr->children == 1 } 'then the old worker went', 3;
$redis->signal('CONT');
eventually { $mgr->try_issue('ann')->{status} == 201 } 'the new one works on';

# the end of all, silent or not
$redis->signal('STOP');
$upgrade = begin_asking('x' x 43);
ok $mgr->signal('QUIT'), 'to end';
$mgr->is_problem($upgrade->finish->answer, 503, 'ticket_store_unavailable',
                 'the last answer');
ok wait_until(sub { $mgr->reaped }, 3), 'it ended';
$redis->signal('CONT');
