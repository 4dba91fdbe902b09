#!/usr/bin/perl

# Redis answers, but not with what was asked for: it loads, may not write, has
# no memory, no script, another password.  Nobody is let in, the reason is
# told, and when it is over it is over.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $server = <<'CONF';
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $redis = Test::WsMgr::Redis->start(args => [
    '--enable-debug-command' => 'local', '--key-load-delay' => 20_000,
    '--loading-process-events-interval-bytes' => 1024,
]);
my $mgr = manager($server, http => 'ws_mgr_redis ' . $redis->unix . ';');
my $ann = $mgr->connect('ann');

# while it is so nobody gets in with a ticket that is good; then one does
sub refused_while {
    my ($what, $reason, $begin, $end) = @_;
    my $ticket = $redis->ticket('bob');

    $begin->();

    $mgr->is_problem($mgr->upgrade(ticket => $ticket)->answer, 503,
                     'ticket_store_unavailable', $what);

    # now and after it was tried again
    for my $more (0, 3) {
        my $commands = $mgr->counter('ws_mgr_redis_commands_total');

        wait_until {
            $mgr->counter('ws_mgr_redis_commands_total') >= $commands + $more
        } 2;

        my $health = $mgr->watched('health');

        is $health->{status}, 'degraded', 'degraded';
        like "@{ $health->{reasons} }", qr/redis \S+: $reason/, 'and why';
    }

    # the usual work of those who are in goes on
    $mgr->post({ type => 'on', user_id => 'ann' });
    is $ann->event->{type}, 'on', 'who is in hears';

    $end->();

    my $begun = now();

    ok wait_until { $mgr->watched('health')->{status} eq 'healthy' },
       'healthy again' or diag "@{ $mgr->watched('health')->{reasons} }";
    cmp_ok now() - $begun, '<', patience(1), 'within a second';
    is $mgr->upgrade(ticket => $ticket)->status, 101,
       'and the ticket is good yet';
}

refused_while('a replica', 'READONLY',
              sub { $redis->say(REPLICAOF => '127.0.0.1', 1) },
              sub { $redis->say(REPLICAOF => 'NO', 'ONE') });

refused_while('out of memory', 'OOM',
              sub { $redis->say(CONFIG => SET => maxmemory => 1) },
              sub { $redis->say(CONFIG => SET => maxmemory => 0) });

$redis->say(CONFIG => SET => maxmemory => 1);
$mgr->counts('ws_mgr_redis_failures_total{cause="refused"}', 1, sub {
    $mgr->is_problem($mgr->try_issue('ann'), 503, 'ticket_store_unavailable',
                     'nor is one issued');
});
$redis->say(CONFIG => SET => maxmemory => 0);

# a fault that is over is over without anybody asking
ok wait_until { $mgr->watched('health')->{status} eq 'healthy' }, 'healthy';

refused_while('no permission', '(?:NOPERM|NOAUTH|ERR)',
              sub { $redis->say(ACL => SETUSER => 'default', '-evalsha') },
              sub { $redis->say(ACL => SETUSER => 'default', '+evalsha') });

# another password: what is logged in stays so
$redis->say(CONFIG => SET => requirepass => 'other');
is $mgr->connect('cid')->status, 101, 'logged in before';

refused_while('wrong password', 'NOAUTH',
    sub {
        $redis->say(AUTH => 'other');
        $redis->say(CLIENT => KILL => SKIPME => 'yes');
        wait_until { $mgr->watched('health')->{status} eq 'degraded' };
    },
    sub { $redis->say(CONFIG => SET => requirepass => '') });

# it loads: 100 keys, 20 ms each
my $ticket = $redis->ticket('bob');

$redis->say(MSET => map { ("key$_" => 'x' x 4096) } 1 .. 100);
$redis->say('SAVE');
$redis->stop('KILL');
$redis->spawn;

ok wait_until {
    "@{ $mgr->watched('health')->{reasons} }" =~ /redis \S+: LOADING/
}, 'it loads';
$mgr->is_problem($mgr->upgrade(ticket => $ticket)->answer, 503,
                 'ticket_store_unavailable', 'while it loads');
wait_until { $redis->say('INFO', 'persistence') =~ /^loading:0/m } 10;

my $begun = now();

ok wait_until { $mgr->watched('health')->{status} eq 'healthy' }, 'loaded';
cmp_ok now() - $begun, '<', patience(1), 'within a second';
is $mgr->upgrade(ticket => $ticket)->status, 101, 'a ticket of before';

# a server without scripts quotes the ticket in its error: it is not shown
my $dumb = Test::WsMgr::Redis->start(args => [ '--rename-command' => EVALSHA => '' ]);
my $other = manager($server, http => 'ws_mgr_redis ' . $dumb->unix . ';');

$other->is_problem($other->upgrade(ticket => $dumb->ticket('ann'))->answer,
                   503, 'ticket_store_unavailable', 'no EVALSHA');
like "@{ $other->watched('health')->{reasons} }",
     qr/: ERR unknown command$/, 'said without its arguments';
