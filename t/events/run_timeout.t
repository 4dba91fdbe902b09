#!/usr/bin/perl

# A run that falls silent is ended by one event of the manager's own.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $conf = <<'CONF';
    location /ws      { ws_mgr_socket; }
    location /api/    { ws_mgr_api; }
    location /strict/ { ws_mgr_api; ws_mgr_run_order enforce; }
CONF

my $ms = $ENV{WS_MGR_ASAN} ? 2400 : 600;
my $mgr = manager($conf, workers => 4, http => "ws_mgr_run_timeout ${ms}ms;");
my @sockets = map { $mgr->connect('ann "é"') } 1 .. 4;

sub run_event {
    my ($type, $run, %other) = @_;

    return { type => $type, run_id => $run, user_id => 'ann "é"', %other };
}

# an event on all sockets
sub heard {
    my @events = map { $_->event } @sockets;

    is encode($_), encode($events[0]), 'the same on each socket'
        for @events[1 .. $#events];

    return $events[0];
}

my $run = q(r "1" \\ x);

$mgr->post(run_event(agent_started => $run, agent_name => 'a', thread_id => 't/1'));
my $start = now();
is heard()->{type}, 'agent_started', 'a run begins';

my $end = heard();
my $waited = now() - $start;

is $end->{type}, 'agent_error', 'and is ended';
is $end->{run_id}, $run, 'by its id';
is $end->{thread_id}, 't/1', 'in its thread';
is $end->{user_id}, 'ann "é"', 'for its user';
ok $end->{synthetic}, 'says that it is synthetic';
is $end->{reason}, 'run_timeout', 'and why';
like $end->{error}, qr/$ms ms/, 'in words';
cmp_ok $waited, '>', 0.9 * $ms / 1000, 'not before its time';
cmp_ok $waited, '<', $ms / 1000 + patience(1), 'and soon after';

# once: nothing comes before what is posted next
wait_until { 0 } 0.6;
$mgr->post({ type => 'next', user_id => 'ann "é"' });
is heard()->{type}, 'next', 'once, by whichever worker';
is $mgr->counter('ws_mgr_runs_timed_out_total'), 1, 'counted';

# what comes late is out of order
my $late = run_event(agent_thinking => $run, thought => 'oh');

$mgr->counts('ws_mgr_events_warned_total{check="run_order"}', 1, sub {
    is $mgr->post($late)->{seq}, $end->{seq} + 2, 'a late event is delivered';
});
is heard()->{type}, 'agent_thinking', 'as warn has it';

my $answer = $mgr->client->post('/strict/events', encode($late));
$mgr->is_problem($answer, 409, 'run_order', 'and refused where that is enforced');

# a run that goes on, and one that has ended
$mgr->post(run_event(agent_started => 'long', agent_name => 'a'));
$mgr->post(run_event(agent_started => 'short', agent_name => 'a'));
$mgr->post(run_event(agent_completed => 'short', status => 'ok'));

for (1 .. 5) {
    wait_until { 0 } 0.25;
    $mgr->post(run_event(whatever => 'long'));
}

is_deeply [ map { heard()->{type} } 1 .. 8 ],
          [ qw/ agent_started agent_started agent_completed /, ('whatever') x 5 ],
          'neither is ended';
is heard()->{run_id}, 'long', 'until it is silent';

# nobody is there: the log has it
$mgr->post({ type => 'agent_started', run_id => 'r', user_id => 'bob',
             agent_name => 'a' });
eventually { $mgr->counter('ws_mgr_runs_timed_out_total') == 3 } 'of one offline';
is $mgr->watched('events/bob')->{events}[-1]{type}, 'agent_error', 'in the log';

# the worker that took the events is gone; another one has the clock
$mgr->post({ type => 'agent_started', run_id => 'k', user_id => 'bob',
             agent_name => 'a' });
$_->drop for @sockets;
$mgr->kill_worker($_) for $mgr->workers;
eventually { ($mgr->counter('ws_mgr_runs_timed_out_total') || 0) == 4 }
    'after all workers have died';

# a reload begins no clock anew, and off is off
$mgr->post({ type => 'agent_started', run_id => 'l', user_id => 'bob',
             agent_name => 'a' });
$mgr->reload(http => '');
wait_until { 0 } 0.8;
is $mgr->watched('events/bob')->{events}[-1]{type}, 'agent_started', 'off is off';
$mgr->reload(http => "ws_mgr_run_timeout ${ms}ms;");
eventually { $mgr->watched('events/bob')->{events}[-1]{type} eq 'agent_error' }
    'on again: what was silent meanwhile is overdue';
