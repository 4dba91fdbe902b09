#!/usr/bin/perl

# The order of a run: not checked, with a warning, or strictly.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    ws_mgr_schema off;

    location /ws          { ws_mgr_socket; }
    location /api/        { ws_mgr_api; }
    location /api/off/    { ws_mgr_api; ws_mgr_run_order off; }
    location /api/strict/ { ws_mgr_api; ws_mgr_run_order enforce; }
CONF

# a run as types (tool names behind a colon), and where its order breaks
my @runs = (
    [ -1 => qw/ agent_started agent_thinking tool_executing:a
                tool_completed:a agent_completed / ],
    [ -1 => qw/ agent_started tool_executing:a tool_executing:b
                tool_completed:b tool_completed:a agent_failed / ],
    [ -1 => qw/ agent_started tool_executing:a tool_executing:a
                tool_completed:a tool_completed:a / ],
    [ -1 => qw/ agent_started anything.else agent_error / ],
    [ 0 => qw/ agent_thinking / ],
    [ 0 => qw/ tool_executing:a / ],
    [ 0 => qw/ agent_completed / ],
    [ 1 => qw/ agent_started tool_completed:a / ],
    [ 2 => qw/ agent_started tool_executing:a tool_completed:b / ],
    [ 3 => qw/ agent_started tool_executing:a tool_completed:a
               tool_completed:a / ],
    (map { [ 2 => 'agent_started', $_, 'agent_thinking' ] }
     qw/ agent_completed agent_failed agent_error agent_death /),
    [ 2 => qw/ agent_started agent_completed agent_started / ],
    [ 2 => qw/ agent_started agent_death agent_completed / ],
);

my $ann = $mgr->connect('ann');
my $warned = 'ws_mgr_events_warned_total{check="run_order"}';
my $n = 0;

my $tell = sub {
    my ($mode, $run, $step) = @_;
    my ($type, $tool) = split /:/, $step;

    return $mgr->api(POST => "${mode}events", {
        type => $type, user_id => 'ann', run_id => $run,
        (defined $tool ? (tool_name => $tool) : ()),
    });
};

for my $mode ('', 'off/', 'strict/') {
    for (@runs) {
        my ($breaks, @steps) = @$_;
        my $run = 'run ' . $n++;

        for my $i (0 .. $#steps) {
            my $broken = $i == $breaks;
            my $answer;

            $mgr->counts($warned, $broken && $mode eq '' ? 1 : 0, sub {
                $answer = $tell->($mode, $run, $steps[$i]);
            });

            if ($broken && $mode eq 'strict/') {
                $mgr->is_problem($answer, 409, 'run_order',
                                 "$mode$run: $steps[$i] is refused");
                next;
            }

            is $answer->{status}, 200, "$mode$run: $steps[$i]";
            is $ann->event->{run_id}, $run, 'delivered';
        }
    }
}

is $mgr->counter($mgr->rejection('run_order')),
   scalar(grep { $_->[0] >= 0 } @runs), 'each is counted';

# a run belongs to its user: another's of the same name is another
is $tell->('strict/', 'shared', 'agent_started')->{status}, 200, 'of ann';
$mgr->is_problem($mgr->api(POST => 'strict/events', {
    type => 'agent_thinking', user_id => 'bob', run_id => 'shared',
}), 409, 'run_order', 'bob has not started it');

# a duplicate is no second step
my %end = (type => 'agent_completed', user_id => 'ann', run_id => 'shared',
           event_id => 'the end');

is $mgr->api(POST => 'strict/events', { %end })->{status}, 200, 'ended'
    for 1, 2;
