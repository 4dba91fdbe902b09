#!/usr/bin/perl

# Redis hangs, or is slow: an answer that is not there in time is none, no
# worker waits, and what comes too late is nobody's.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;

my $mgr = manager(<<'CONF', http => 'ws_mgr_redis ' . $redis->unix . ';');
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my $failures = 'ws_mgr_redis_failures_total';

sub in_time {
    my ($what, $block) = @_;
    my $begun = now();

    $block->();
    cmp_ok now() - $begun, '<', patience(0.45), "$what: in time";
}

sub back_within_a_second {
    my ($what) = @_;
    my $begun = now();

    ok wait_until { $mgr->try_issue('ann')->{status} == 201 },
       "$what: back";
    cmp_ok now() - $begun, '<', patience(1), 'within a second';
    ok wait_until { $mgr->watched('health')->{status} eq 'healthy' },
       'healthy';
}

# hung, for longer than a connection may be without an answer
my @tickets = map { $redis->ticket('bob') } 1 .. 3;

$redis->signal('STOP');

for my $round (1 .. 4) {
    in_time("hung, $round", sub {
        my @upgrades = map {
            $mgr->begin_upgrade(ticket => $_ % 2 ? 'x' x 43 : $tickets[0])
        } 1 .. 20;

        # nothing else waits for that
        my $begun = now();

        $mgr->post({ type => "hung_$round", user_id => 'ann' });
        is $ann->event->{type}, "hung_$round", 'who is in hears';
        cmp_ok now() - $begun, '<', patience(0.2), 'at once';

        $mgr->is_problem($_->finish->answer, 503, 'ticket_store_unavailable')
            for @upgrades;
    });
}

my $health = $mgr->watched('health');

is $health->{status}, 'degraded', 'degraded';
like "@{ $health->{reasons} }", qr/redis \S+: .* in time/, 'and why';
cmp_ok $mgr->counter("$failures\{cause=\"timeout\"}"), '>=', 20, 'timeouts';
cmp_ok $mgr->counter("$failures\{cause=\"silent\"}"), '>=', 1,
       'a connection was given up';

$redis->signal('CONT');
back_within_a_second('hung');
is $mgr->upgrade(ticket => $tickets[1])->status, 101, 'a ticket is good yet';

# slow for a moment: the connection stays, late replies are nobody's
my $connects = $mgr->counter('ws_mgr_redis_connects_total');
my $unclaimed = $mgr->counter('ws_mgr_redis_unclaimed_replies_total');

$redis->say(CLIENT => PAUSE => 320, 'ALL');

in_time('slow', sub {
    $mgr->is_problem($mgr->upgrade(ticket => 'y' x 43)->answer, 503,
                     'ticket_store_unavailable');
});

back_within_a_second('slow');
is $mgr->counter('ws_mgr_redis_connects_total'), $connects,
   'by the same connection';
cmp_ok $mgr->counter('ws_mgr_redis_unclaimed_replies_total'), '>', $unclaimed,
       'with a late reply';

# whoever leaves takes the question back; its answer is nobody's
$unclaimed = $mgr->counter('ws_mgr_redis_unclaimed_replies_total');
$redis->say(CLIENT => PAUSE => 100, 'ALL');

my $asked = $mgr->counter('ws_mgr_redis_commands_total');
my $leaver = $mgr->begin_upgrade(ticket => $tickets[2]);

wait_until { $mgr->counter('ws_mgr_redis_commands_total') > $asked };
$leaver->abort;

eventually {
    $mgr->counter('ws_mgr_redis_unclaimed_replies_total') > $unclaimed
} 'an answer to one who left';
is $mgr->status->{connections}, 1, 'who is no connection';

# a pause that outlasts a connection
$redis->say(CLIENT => PAUSE => 1500, 'ALL');
in_time('paused', sub {
    $mgr->is_problem($mgr->upgrade(ticket => 'y' x 43)->answer, 503,
                     'ticket_store_unavailable');
});
eventually { $mgr->try_issue('ann')->{status} == 201 } 'over';
ok wait_until { $mgr->watched('health')->{status} eq 'healthy' }, 'healthy';
is $mgr->connect('cid')->status, 101, 'and others come in';
