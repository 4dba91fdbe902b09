#!/usr/bin/perl

# What a worker does not hear, since its subscription is down just then, it
# takes from the stream: nothing is lost, nothing comes twice, nothing comes
# out of order.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $kills = 200;
my $redis = Test::WsMgr::Redis->start;
# a log that holds all of it, however late a node is
my @nodes = nodes(2, $redis, log => "events=200000 bytes=48m");
my @ann = map { $nodes[$_ % 2]->connect('ann') } 0 .. 3;

# one who posts, without a pause, till it is told to end
pipe my $read, my $write or die "pipe: $!";
my $publisher = fork;

if ($publisher == 0) {
    close $write;
    my $client = $nodes[0]->client;
    my $n = 0;

    while (!Test::WsMgr::Wait::readable($read, 0)) {
        my $answer = $client->post('/api/events', encode(
            { type => 'n', user_id => 'ann', event_id => 'n' . $n, n => $n }));

        $n++ if $answer->{status} == 200;
    }

    $client->post('/api/events', encode({ type => 'end', user_id => 'ann',
                                          n => $n }));
    POSIX::_exit(0);
}

close $read;

my $killed = 0;
my @left = map { { socket => $_, next => 0 } } @ann;

# each reads along, so that nobody lags
my $read_on = sub {
    my ($seconds) = @_;

    for my $one (grep { !defined $_->{end} } @left) {
        while (defined(my $text = $one->{socket}->next_text($seconds))) {
            my ($n) = $text =~ /"n":(\d+)/ or fail "not ours: $text";

            if ($text =~ /"type":"end"/) {
                $one->{end} = $n;
                last;
            }

            fail "$n where $one->{next} was due" if $n != $one->{next};
            $one->{next} = $n + 1;
        }
    }
};

while ($killed < $kills) {
    $killed += $redis->say(qw/ CLIENT KILL TYPE pubsub /);
    $read_on->(0);
}

# every hole is filled while events come, and when none comes any more
wait_until { $redis->say(qw/ CLIENT LIST TYPE pubsub /) =~ tr/\n// == 4 };
$redis->say(qw/ CLIENT KILL TYPE pubsub /);
print $write 'x';
close $write;

waitpid $publisher, 0;
wait_until { $read_on->(0.05); !grep { !defined $_->{end} } @left };

for my $i (0 .. $#left) {
    is $left[$i]{next}, $left[$i]{end}, "socket $i: all, once, in order";
}

cmp_ok $left[0]{end}, '>', $kills, "$left[0]{end} events, $killed kills";
is $nodes[$_]->counter('ws_mgr_gaps_total'), 0, 'no gap had to be told'
    for 0, 1;
