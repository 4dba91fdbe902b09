#!/usr/bin/perl

# Redis dies, hangs, is slow, comes again with what it had or without: what was
# accepted arrives once and in order, or the client is told; nothing is
# accepted that is in no log; and no worker waits for it.

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw/ max /;
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Proxy;
use Test::WsMgr::Redis;

my $loop = 0.05;    # s that a worker's loop may take

sub published {
    my ($client, $n) = @_;
    my $answer = $client->post('/api/events', encode(
        { type => 'n', user_id => 'ann', event_id => "n$n", n => $n }));

    return $answer if $answer->{status} != 200;

    return $answer->{json}{events}[0];
}

# reads what a socket has: n of the events, in order; what it was told
sub heard {
    my ($socket) = @_;
    my (@n, @told);

    while (defined(my $text = $socket->next_text(0.2))) {
        my $event = decode($text);

        push @n, $event->{n} if $event->{type} eq 'n';
        push @told, $event->{type}
            if $event->{type} ne 'n' && ($event->{position} // '') !~ /-b/;
    }

    return (\@n, \@told);
}

# the longest that an answer of a worker takes, while the block runs elsewhere
sub slowest {
    my ($node, $block) = @_;
    my $done = fork;

    if ($done == 0) {
        $block->();
        POSIX::_exit(0);
    }

    my @clients = map { $node->client } 1 .. 6;
    my @took;

    while (waitpid($done, POSIX::WNOHANG) == 0) {
        for my $client (@clients) {
            my $begun = now();

            $client->get('/api/connections/x');
            push @took, now() - $begun;
        }

        select undef, undef, undef, 0.005;
    }

    return max @took;
}

# --- killed, and back with its data or without ---

for my $keeps (1, 0) {
    my $redis = Test::WsMgr::Redis->start(
        args => $keeps ? [ qw/ --appendonly yes --appendfsync always / ] : []);
    my ($here, $there) = nodes(2, $redis);
    my @ann = ($here->connect('ann'), $there->connect('ann'));
    my $client = $here->client;
    my $how = $keeps ? 'with its data' : 'without its data';
    my $n = 0;

    published($client, $n++) for 1 .. 50;
    $redis->stop('KILL');

    my $refused = published($client, $n);

    $here->is_problem($refused, 503, 'unavailable', 'gone: 503');
    ok $refused->{headers}{'retry-after'}, 'and when to come again';
    is $here->watched('health')->{status}, 'degraded', 'degraded';
    ok !$_->ended(0), 'the socket stays' for @ann;

    $redis->spawn or die 'no redis';
    wait_until { $here->watched('health')->{status} eq 'healthy'
                 && $there->watched('health')->{status} eq 'healthy' };

    wait_until { !($refused = published($client, $n))->{status} };
    $n++;
    published($client, $n++) for 1 .. 20;

    for my $socket (@ann) {
        my ($numbers, $told) = heard($socket);

        is_deeply $told, $keeps ? [] : [ 'stream_reset' ],
                  "back $how: " . ($keeps ? 'nothing to tell' : 'told');

        # what Redis had taken and not passed on when it died is gone with it
        my @due = grep { $keeps || $_ >= 50 } 0 .. $n - 1;
        my %seen;

        is "@{[ grep { $keeps || $_ >= 50 } @$numbers ]}", "@due", 'all of it';
        is "@$numbers", join(' ', grep { !$seen{$_}++ }
                                  sort { $a <=> $b } @$numbers),
           'once, in order';
    }

    # all it had is lost while everybody is connected
    my $before = $here->counter('ws_mgr_stream_resets_total');

    $redis->say('FLUSHALL');
    eventually { $here->counter('ws_mgr_stream_resets_total') > $before }
        'flushed: told, though nothing was posted';

    published($client, $n++);
    ok !!(grep { $_ eq 'stream_reset' } @{ (heard($_))[1] }),
       'each socket was' for @ann;
}

# --- killed, and back with what it had a while ago ---

{
    my $redis = Test::WsMgr::Redis->start;
    my ($here, $there) = nodes(2, $redis);
    my $ann = $here->connect('ann');
    my $client = $there->client;

    published($client, $_) for 0 .. 9;
    $redis->say('SAVE');
    published($client, $_) for 10 .. 19;
    is join(' ', map { $ann->event->{n} } 0 .. 19), join(' ', 0 .. 19), 'all';

    $redis->stop('KILL');
    $redis->spawn or die 'no redis';
    is $redis->say(qw/ HGET ws_mgr:{ann}:log last /), 10, 'it has lost half';

    # one alone, so that it has fewer than the nodes have seen
    wait_until { !(published($client, 20))->{status} };
    eventually { $here->counter('ws_mgr_stream_resets_total') > 0 }
        'found out';
    published($client, $_) for 21 .. 40;

    my ($numbers, $told) = heard($ann);

    is_deeply $told, [ 'stream_reset' ], 'told';

    my @after = grep { $_ > 19 } @$numbers;
    my @due = grep { $_ >= $after[0] } 20 .. 40;

    is "@after", "@due", 'and goes on, in order';
    is $numbers->[-1], 40, 'to the end';
}

# --- it hangs, it pauses, it is slow ---

my $redis = Test::WsMgr::Redis->start;
my ($here, $there) = nodes(2, $redis);
my @ann = ($here->connect('ann'), $there->connect('ann'));
my $client = $here->client;
my $n = 0;

my $go_on = sub {
    my ($what) = @_;

    wait_until { !(published($client, $n))->{status} };
    $n++;
    published($client, $n++) for 1 .. 5;

    for my $socket (@ann) {
        my ($numbers, $told) = heard($socket);

        is_deeply $told, [], "$what: nothing had to be told";
        is "@$numbers", join(' ', $n - @$numbers .. $n - 1), 'once, in order';
        is $numbers->[-1], $n - 1, 'and to the end';
    }
};

my $slowest = slowest($here, sub {
    my $own = $here->client;

    $redis->signal('STOP');

    for (1 .. 3) {
        my $begun = now();
        my $answer = published($own, 'stopped');

        POSIX::_exit(1) if ($answer->{status} // 200) != 503
                           || now() - $begun > patience(1);
    }

    $redis->signal('CONT');
});

is $?, 0, 'stopped: 503 within the deadline';
cmp_ok $slowest, '<', patience($loop), 'no worker waited for it';
$go_on->('stopped for a while');

$slowest = slowest($here, sub {
    $redis->say(qw/ CLIENT PAUSE 1500 /);
    my $own = $here->client;
    published($own, 'paused');
});

cmp_ok $slowest, '<', patience($loop), 'paused: no worker waited';
$go_on->('paused');

# --- a slow network, on which an answer is lost ---

my $proxy = Test::WsMgr::Proxy->start($redis->path, delay => 0.03);
my ($far) = nodes(1, $redis, url => 'ws_mgr_redis ' . $proxy->unix . ';');
my $eve = $far->connect('eve');

$slowest = slowest($far, sub {
    my $own = $far->client;

    $own->post('/api/events', encode({ type => 'n', user_id => 'eve', n => $_ }))
        for 0 .. 19;
});

cmp_ok $slowest, '<', patience($loop), 'slow network: no worker waited';
is join(' ', map { $eve->event->{n} } 0 .. 19), join(' ', 0 .. 19),
   'all in order';

my %once = (type => 'once', user_id => 'eve', event_id => 'once');

$proxy->lose('once');
my $lost = $far->try_post(\%once);

$far->is_problem($lost, 503, 'unavailable', 'the answer is lost: 503');
like $lost->{json}{detail}, qr/not known.*same event_id/, 'what to do';

my $again;

wait_until { ($again = $far->try_post(\%once))->{status} == 200 };
ok $again->{json}{events}[0]{duplicate}, 'tried again: it was in the log';
$far->post({ type => 'last', user_id => 'eve' });
is join(' ', map { $eve->event->{type} } 1, 2), 'once last', 'and came once';
