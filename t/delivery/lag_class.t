#!/usr/bin/perl

# A socket that lags does without what its class allows, and without nothing
# else; nobody else does.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=4000 bytes=64m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api broadcast health status tickets users connections metrics; }
CONF

my $latest = 'ws_mgr_events_skipped_total{class="latest"}';
my $drop = 'ws_mgr_events_skipped_total{class="drop"}';

sub post {
    my ($class, $n, %more) = @_;

    return $mgr->post({ type => 'p', user_id => 'ann', class => $class,
                        n => $n, %more });
}

# far more than the kernel buffers
sub fill {
    my ($user) = @_;

    $mgr->post({ type => 'fill', user_id => $user, n => 0,
                 pad => 'x' x 100_000 }) for 1 .. 30;
}

# the n of what comes, but for the filling, up to "end"
sub heard {
    my ($socket) = @_;
    my (@heard, $last);

    while (my $text = $socket->next_text) {
        my ($seq, $n) = $text =~ /"seq":(\d+).*"n":(\d+)/;

        next if !defined $seq;
        fail "seq $seq after $last" if $last && $seq <= $last;
        $last = $seq;
        push @heard, $n if $n;
        last if $text =~ /"end"/;
    }

    return "@heard";
}

my $quick = $mgr->connect('ann');
my $slow = $mgr->connect('ann', to => $mgr->unix);

post('drop', 1);
post('latest', 2, run_id => 'r1');
post('latest', 3, run_id => 'r1');
fill('ann');

my $seq = post('must', 4)->{seq};

unlike $mgr->watched("connections/$slow->{id}")->{sent}, qr/-$seq$/,
       'one of two lags';

post('latest', 5, run_id => 'r1');
post('latest', 6, run_id => 'r2');
post('drop', 7);
post('latest', 8, run_id => 'r1');
post('latest', 9, run_id => 'r1', type => 'q');
post('latest', 10, data => { run_id => 'r2' });
post('latest', 11);
post('must', 12, run_id => 'r1');
post('latest', 13, run_id => 'r1', connection_id => $slow->{id});
post('latest', 14, run_id => 'r1', thread_id => 't', audience => 'thread');
post('latest', 15);
post('drop', 16);
post('must', 17, type => 'end');

is heard($quick), '1 2 3 4 5 6 7 8 9 10 11 12 15 16 17',
   'the other hears everything';
is $mgr->counter('ws_mgr_events_skipped_total'), 0, 'nothing is skipped yet';

is heard($slow), '1 2 3 4 8 9 10 12 13 15 17',
   'it hears the latest of each run and type, and all that is a must';

# 2 went out before it lagged; 5, 6 and 11 have a newer one
eventually { $mgr->counter($latest) == 3 } 'three of class latest are counted';
is $mgr->counter($drop), 2, 'and two of class drop';

# it has caught up
post('drop', 18);
post('latest', 19, run_id => 'r1');
post('latest', 20, run_id => 'r1');
post('must', 21, type => 'end');
is heard($slow), '18 19 20 21', 'then it is like any other';
is heard($quick), '18 19 20 21', 'such as this one';

# a replay is no lag, however long it takes
my $again = $mgr->connect('ann', to => $mgr->unix, query => 'last_event_id='
                                 . $quick->{welcome}{position});

ok $again->{welcome}{resumed}, 'resumed, with more than the kernel takes';
post('drop', 22);
post('latest', 23, run_id => 'r1');
post('latest', 24, run_id => 'r1');
post('must', 25, type => 'end');

is heard($again), '1 2 3 4 5 6 7 8 9 10 11 12 15 16 17', 'a replay is whole';
is heard($again), '18 19 20 21', 'to its end';
is heard($again), '24 25', 'and behind it, where it lags, the classes count';
is $mgr->counter($drop), 3, 'one of class drop more';
is $mgr->counter($latest), 4, 'one of class latest more';
is heard($slow), '22 23 24 25', 'those who keep up have all';
$_->drop for $quick, $slow, $again;

# compressed: what is made once serves those who lag and those who do not
my $deflate = { 'Sec-WebSocket-Extensions' => 'permessage-deflate' };
my ($slow2, $quick2) = map { $mgr->upgrade(ticket => $mgr->ticket('carl'),
                                           headers => $deflate, %$_) }
                       { to => $mgr->unix }, {};

$_->message for $slow2, $quick2;

# noise, which takes no less room
$mgr->post({ type => 'fill', user_id => 'carl',
             pad => join '', map { chr(97 + rand 26) } 1 .. 100_000 })
    for 1 .. 10;
$mgr->post({ type => 'p', user_id => 'carl', class => $_->[0],
             pad => 'x' x 1000 })
    for [ 'must' ], [ 'drop' ], [ 'latest' ], [ 'latest' ], [ 'must' ];

my @all = map { $quick2->message } 1 .. 15;
my @some = grep { defined } map { $slow2->message(1) } 1 .. 13;

is scalar(grep { defined } @all), 15, 'with compression all';
is scalar(@some), 13, 'or all but two';
ok !$slow2->message(0.05), 'not one more';
is $mgr->counter($drop), 4, 'again one of class drop more';
is $mgr->counter($latest), 5, 'again one of class latest more';

# the broadcast log is no other
sub broadcast {
    $mgr->post({ type => 'b', user_id => '*', class => $_[0], n => $_[1] });
}

$slow = $mgr->connect('bob', to => $mgr->unix);
fill('*');
broadcast('drop', 30);
broadcast('latest', 31);
broadcast('latest', 32);
$mgr->post({ type => 'end', user_id => '*', n => 33 });
is heard($slow), '32 33', 'a broadcast likewise';
