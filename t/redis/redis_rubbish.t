#!/usr/bin/perl

# What calls itself Redis answers rubbish, says more than it was asked, or
# mixes up its answers: nobody gets in by that, nor does a worker die of it.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $record = encode({ user_id => 'ann', expires_at => time + 60 });

sub bulk { '$' . length($_[0]) . "\r\n$_[0]\r\n" }

# the answer of the script, as it should be
sub good {
    my (@command) = @_;

    return "*3\r\n" . bulk($command[4]) . bulk('ok') . bulk($record);
}

# each with what the fake answers a script with, given its arguments; all else
# is answered well
my @cases = (
    [ 'a status'           => sub { "+OK\r\n" } ],
    [ 'a number'           => sub { ":1\r\n" } ],
    [ 'nothing'            => sub { "\$-1\r\n" } ],
    [ 'no list'            => sub { "*-1\r\n" } ],
    [ 'an empty list'      => sub { "*0\r\n" } ],
    [ 'a record alone'     => sub { bulk($record) } ],
    [ 'too short a list'   => sub { "*2\r\n" . bulk($_[4]) . bulk('ok') } ],
    [ 'numbers'            => sub { "*3\r\n:1\r\n:2\r\n:3\r\n" } ],
    [ 'no record'          => sub { "*3\r\n" . bulk($_[4]) . bulk('ok')
                                    . "\$-1\r\n" } ],
    [ 'another word'       => sub { "*3\r\n" . bulk($_[4]) . bulk('okay')
                                    . bulk($record) } ],
    [ "another's answer"   => sub { "*3\r\n" . bulk($_[4] + 1) . bulk('ok')
                                    . bulk($record) } ],
    [ 'lists in lists'     => sub { "*1\r\n" x 20 } ],
    [ 'a list of millions' => sub { "*100000000\r\n" } ],
    [ 'a wrong length'     => sub { "*3\r\n\$x\r\n" } ],
    [ 'HTTP'               => sub { "HTTP/1.1 400 Bad Request\r\n\r\n" } ],
    [ 'bytes'              => sub { "\0\xff" x 4096 } ],
    [ 'more than asked'    => sub { "+OK\r\n" x 50 } ],
    [ 'an empty error'     => sub { "-\r\n" } ],
    [ 'a quoted error'     => sub { "-'$_[3]'\r\n" } ],
    [ 'no script, ever'    => sub { "-NOSCRIPT No matching script\r\n" } ],
    [ 'half a list'        => sub { "*3\r\n" . bulk($_[4]) } ],
    [ 'an end'             => sub { undef } ],
    [ 'an end behind half' => sub { $_[0] eq 'EVALSHA' ? "*3\r\n\$2" : undef } ],
);

# what it does is chosen by the ticket's first two letters
my $fake = Test::WsMgr::Redis->fake(sub {
    my (@command) = @_;

    return "+PONG\r\n" if $command[0] eq 'PING';
    return "+OK\r\n"   if $command[0] !~ /^EVAL/;

    my ($case) = $command[3] =~ /^auth:ticket:(\d\d)/ or return good(@command);

    return $cases[$case][1]->(@command);
});

my $mgr = manager(<<'CONF', http => 'ws_mgr_redis ' . $fake->unix . ';');
    ws_mgr_ping off;
    ws_mgr_connections user=off;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

sub one_gets_in {
    my ($when) = @_;

    return eventually {
        $mgr->upgrade(ticket => 'good' . 'x' x 39)->status == 101
    } $when;
}

one_gets_in('what is right is right');

my ($worker) = $mgr->workers;

for my $case (0 .. $#cases) {
    my $what = $cases[$case][0];
    my $begun = now();
    my $answer = $mgr->upgrade(ticket => sprintf '%02d%s', $case, 'x' x 41)
                     ->answer;

    $mgr->is_problem($answer, 503, 'ticket_store_unavailable', $what);
    cmp_ok now() - $begun, '<', patience(0.45), 'in time';
    one_gets_in('and after it');
}

is join(' ', $mgr->workers), $worker, 'by the same worker';
cmp_ok $mgr->counter('ws_mgr_redis_failures_total{cause="protocol"}'), '>=', 12,
       'each a fault';
cmp_ok $mgr->counter('ws_mgr_redis_failures_total{cause="lost"}'), '>=', 2,
       'and what had no answer when the connection went';

# an answer that is there before the question is none
my $early = Test::WsMgr::Redis->fake(sub {
    my (@command) = @_;

    return "+PONG\r\n" if $command[0] eq 'PING';
    return "+OK\r\n"   if $command[0] !~ /^EVAL/;

    # that of the next question too
    return good(@command)
           . good(map { $_ == 4 ? $command[4] + 1 : $command[$_] }
                  0 .. $#command);
});

my $other = manager(<<'CONF', http => 'ws_mgr_redis ' . $early->unix . ';');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

$other->counts('ws_mgr_redis_failures_total{cause="protocol"}', 1, sub {
    is $other->upgrade(ticket => 'x' x 43)->status, 101, 'its own answer';
});

# nothing that was said before the login was asked for
my $chatty = Test::WsMgr::Redis->fake(sub { "-ERR max number of clients\r\n" });
my $third = manager(<<'CONF', http => 'ws_mgr_redis ' . $chatty->unix . ';');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

eventually {
    "@{ $third->watched('health')->{reasons} }" =~ /ERR max number of clients/
} 'a login that is refused';
$third->is_problem($third->upgrade(ticket => 'x' x 43)->answer, 503,
                   'ticket_store_unavailable');
