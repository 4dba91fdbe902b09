#!/usr/bin/perl

# Two nodes as one: what is posted, asked and ordered at one of them is so at
# the other.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my ($here, $there) = nodes(2, $redis);

# --- an event ---

my $ann = $here->connect('ann');
my $result = $there->post({ type => 'hello', user_id => 'ann',
                            data => "1.0 \x{1f600}" });

is $ann->event->{id}, $result->{id}, 'heard at the other node';
is $result->{sockets}, 0, 'no socket of this node';
is $result->{nodes}, 1, 'one node has heard';
is $here->post({ type => 'x', user_id => 'ann' })->{sockets}, 1,
   'one of that node';
is $ann->event->{type}, 'x', 'heard';

my $offline = $there->post({ type => 'x', user_id => 'nobody' });

is_deeply [ @$offline{qw/ sockets nodes stored /} ],
          [ 0, 0, JSON::PP::true ], 'nobody online is no error';

# --- event_id, run order ---

my %once = (type => 'once', user_id => 'ann', event_id => 'e1', n => 1);

my $first = $here->post(\%once);
my $again = $there->post(\%once);

is $again->{id}, $first->{id}, 'a repetition at another node: the same id';
ok $again->{duplicate}, 'told so';
is $again->{nodes}, 1, 'as the first time';
is $ann->event->{event_id}, 'e1', 'heard once';
$there->is_problem($there->try_post({ %once, n => 2 }), 409,
                   'event_id_conflict', 'with another body');

for my $event (agent_run('ann', 'r1')) {
    ($event->{type} eq 'tool_executing' ? $there : $here)->post($event);
    is $ann->event->{type}, $event->{type}, "$event->{type} in its turn";
}

is_deeply [ map { [ $_->{run_id}, !!$_->{ended} ] }
            @{ $here->watched('users/ann')->{runs} } ],
          [ [ 'r1', 1 ] ], 'the run is known where the socket is';

# --- aimed at some ---

my $bea = $there->connect('ann');

$bea->say({ type => 'thread_switched', thread_id => 't1' });
eventually { grep { ($_->{thread_id} // '') eq 't1' }
             $there->connections_of('ann') } 'the thread is shown';

$here->post({ type => 'aimed', user_id => 'ann', thread_id => 't1',
              audience => 'thread' });
$here->post({ type => 'own', user_id => 'ann', connection_id => $bea->{id} });
$here->post({ type => 'all', user_id => 'ann' });

is_deeply [ map { $bea->event->{type} } 1 .. 3 ], [ 'aimed', 'own', 'all' ],
          'by thread and by connection, from the other node';
is $ann->event->{type}, 'all', 'and to nobody else';

# --- waiting ---

my $sent = $there->post({ type => 'w', user_id => 'ann' }, 'wait=sent');

is $sent->{nodes}, 2, 'both nodes';
is $sent->{connections}, undef, 'sockets elsewhere: nobody knows';

my $cid = $here->connect('cid');

is_deeply $here->post({ type => 'w', user_id => 'cid' }, 'wait=sent')
              ->{connections},
          [ { connection_id => $cid->{id}, state => 'sent' } ],
          'all sockets here: known';
is $there->post({ type => 'w', user_id => 'cid' }, 'wait=sent')
              ->{connections}, undef, 'all sockets there: not';
$cid->events(2);

# --- presence, logs ---

eventually {
    my $found = $there->watched('users/cid');

    $found->{online} && @{ $found->{nodes} } == 1
        && $found->{nodes}[0]{connections} == 1
        && @{ $found->{connections} } == 0;
} 'who is online at the other node';

is_deeply [ sort map { $_->{connections} }
            @{ $here->watched('users/ann')->{nodes} } ], [ 1, 1 ],
          'at both';

my @log = map { [ map { $_->{type} } @{ $_->watched('events/nobody')->{events} } ] }
          $here, $there;

is_deeply \@log, [ [ 'x' ], [ 'x' ] ], 'a log is the same everywhere';
$here->is_problem($here->api('GET', 'events/unheard-of'), 404,
                  'user_unknown', 'nobody knows that one');

my $waiting = $there->client;

$waiting->send(GET => '/api/users/dan?wait=online&timeout=20000');
eventually { $redis->say(HKEYS => 'ws_mgr:{dan}:members')->[0] } 'waited for';

my $dan = $here->connect('dan');
my $online = $waiting->answer->{json};

ok $online->{online} && !$online->{timed_out}, 'told when the user comes there';

# --- resume at the other node, beyond what it has in memory ---

my @ids = map { $here->post({ type => 'past', user_id => 'dan', n => $_ })->{id} }
          1 .. 600;

$dan->events(600);

my $dora = $there->connect('dan', query => "last_event_id=$ids[9]");

ok $dora->{welcome}{resumed}, 'resumed where nobody of the user was';
is $dora->{welcome}{replayed}, 590, 'and all is replayed';
is_deeply [ map { $_->{id} } $dora->events(590) ], [ @ids[10 .. 599] ],
          'in order';

my $restored = $there->connect('dan');

$restored->say({ type => 'session_restore', position => $ids[2] });
is_deeply [ map { $_->{id} } $restored->events(597) ], [ @ids[3 .. 599] ],
          'session_restore as well';

my $gap = $there->connect('dan', query => 'last_event_id=abc-7');

ok !$gap->{welcome}{resumed}, 'a position of nowhere';
is $gap->event->{type}, 'gap', 'is told';
is $gap->event->{id}, $ids[0], 'then what there is';

# --- broadcast ---

$here->post({ type => 'all_hands', user_id => '*' });

for my $socket ($cid, $bea) {
    my $event = $socket->event;

    $event = $socket->event while $event->{type} eq 'w';
    is $event->{type}, 'all_hands', 'a broadcast reaches all nodes';
}

# --- closing ---

my $kicked = $here->api('DELETE', 'users/ann?return=no')->{json};

is $kicked->{disconnected}, 1, 'one here';
cmp_ok $kicked->{nodes}, '>=', 1, 'the other node was told';
is $ann->closed, 4501, 'closed here';
is $bea->closed, 4501, 'and there';

my $other = $there->api('DELETE', "connections/$cid->{id}");

is $other->{status}, 200, 'a connection of the other node';
is $cid->closed, 4005, 'is closed';

my ($node) = $cid->{id} =~ /^(\w+)-/;

$there->is_problem($there->api('DELETE', "connections/zzzzzzzz-0001000000000001"),
                   404, 'connection_unknown', 'one of no node');
