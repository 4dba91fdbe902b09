#!/usr/bin/perl

# A peer that has died without a word is gone from the registry within the
# interval and the timeout: one whose process hangs, one that never reads, one
# whose buffers are full of what was sent to it.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

use Socket qw/ AF_UNIX SOCK_STREAM PF_UNSPEC /;

my ($interval, $timeout) = (0.8, 0.8);
my $slack = patience(0.5);

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log bytes=8m;');
    location /ws   { ws_mgr_socket; ws_mgr_ping 800ms 800ms; }
    location /api/ { ws_mgr_api; }
CONF

# before it came, and since it is dead
my ($born, $start);

# How long after its death a user is gone.  Somebody who is well is looked
# after meanwhile.
my $well = $mgr->connect('well');

sub gone {
    my ($user) = @_;

    wait_until {
        $well->message(0);
        $mgr->connections_of($user) == 0;
    } 10;

    return now() - $start;
}

sub within {
    my ($name, $seconds) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok $seconds <= $interval + $timeout + $slack,
       sprintf '%s: gone after %.2f s', $name, $seconds;
    ok now() - $born >= $timeout, 'and not before the timeout';
}

# a process of many sockets that is stopped when all have been welcomed
socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die $!;
my @tickets = map { $mgr->ticket('hangs') } 1 .. 8;

$born = now();

my $pid = fork;

if ($pid == 0) {
    my @sockets = map { $mgr->upgrade(ticket => $_) } @tickets;

    $_->event for @sockets;
    syswrite $theirs, 'x';
    sysread $theirs, my $go, 1;

    # it is alive again, and may read what it was told
    syswrite $theirs, join ' ', map { $_->closed } @sockets;
    POSIX::_exit(0);
}

sysread $ours, my $ready, 1;
is scalar($mgr->connections_of('hangs')), 8, 'a process has eight sockets';
kill STOP => $pid;
$start = now();
within('a process that hangs', gone('hangs'));
is $mgr->counter('ws_mgr_server_closes_total{cause="no_pong"}'), 8, 'counted';

kill CONT => $pid;
syswrite $ours, 'x';
sysread $ours, my $codes, 100;
is $codes, join(' ', (4002) x 8), 'it finds a goodbye when it is back';
waitpid $pid, 0;

# one that does not read; its bytes are taken by the kernel only
$born = now();

my $deaf = $mgr->connect('deaf');

$start = now();
within('one that does not read', gone('deaf'));

# one that does not read what there is plenty of: from when it takes no more
$born = now();

my $full = $mgr->connect('full', to => $mgr->unix);
my $event = { type => 'x', user_id => 'full', pad => 'x' x 100_000 };

$mgr->post($event) for 1 .. 6;
$start = now();
within('one whose buffers are full', gone('full'));

# and one for which there is always more
$born = now();

my $flood = $mgr->connect('flood', to => $mgr->unix);

$event->{user_id} = 'flood';
$mgr->post($event) for 1 .. 6;
$start = now();

wait_until {
    $well->message(0);
    $mgr->post($event)->{sockets} == 0;
} 10;

within('one for which there is always more', now() - $start);

is $well->closed(0.01), 0, 'who is well is there';
is scalar($mgr->connections_of('well')), 1, 'and online';
