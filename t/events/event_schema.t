#!/usr/bin/perl

# Known types are checked: not at all, with a warning, or strictly.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_run_order off;

    location /ws          { ws_mgr_socket; }
    location /api/        { ws_mgr_api; }
    location /api/off/    { ws_mgr_api; ws_mgr_schema off; }
    location /api/strict/ { ws_mgr_api; ws_mgr_schema enforce; }
CONF

my %of = (user_id => 'ann', run_id => 'r');

my @good = (
    agent_run('ann', 'r'),
    { %of, type => 'agent_thinking', reasoning => 'so' },
    { user_id => 'ann', type => 'agent_started',
      data => { run_id => 'r', agent_name => 'a' } },
    { %of, type => 'tool_completed', data => { tool_name => 't',
                                               result => 0 } },
    { %of, type => 'agent_completed', final_response => 'x' },
    { %of, type => 'agent_completed', result => 'x' },
    { user_id => 'ann', type => 'something.else' },
    { %of, type => 'agent_failed' },
);

# each lacks one thing
my @bad = (
    [ run_id    => { user_id => 'ann', type => 'agent_started',
                     agent_name => 'a' } ],
    [ agent_name => { %of, type => 'agent_started' } ],
    [ thought   => { %of, type => 'agent_thinking' } ],
    [ run_id    => { user_id => 'ann', type => 'agent_thinking',
                     thought => 'x' } ],
    [ tool_name => { %of, type => 'tool_executing' } ],
    [ run_id    => { user_id => 'ann', type => 'tool_executing',
                     tool_name => 't' } ],
    [ tool_name => { %of, type => 'tool_completed', results => [] } ],
    [ result    => { %of, type => 'tool_completed', tool_name => 't' } ],
    [ status    => { %of, type => 'agent_completed' } ],
    [ run_id    => { user_id => 'ann', type => 'agent_completed',
                     status => 'ok' } ],
    [ tool_name => { %of, type => 'tool_executing',
                     other => { tool_name => 'too deep' } } ],
);

my $ann = $mgr->connect('ann');
my $warned = 'ws_mgr_events_warned_total{check="schema"}';

$mgr->counts($warned, 0, sub {
    for my $event (@good) {
        for my $mode ('', 'off/', 'strict/') {
            is $mgr->api(POST => "${mode}events", $event)->{status}, 200,
               "$mode $event->{type}";
            is $ann->event->{type}, $event->{type}, 'delivered';
        }
    }
});

for (@bad) {
    my ($lacks, $event) = @$_;

    $mgr->counts($warned, 0, sub { $mgr->api(POST => 'off/events', $event) });
    is $ann->event->{type}, $event->{type}, "off: without $lacks";

    $mgr->counts($warned, 1, sub { $mgr->post($event) });
    is $ann->event->{type}, $event->{type}, 'warn: delivered and counted';

    my $answer = $mgr->api(POST => 'strict/events', $event);

    $mgr->is_problem($answer, 422, 'schema', 'enforce: refused');
    like $answer->{body}, qr/$lacks/, "which names $lacks";
}

is $mgr->counter($mgr->rejection('schema')), scalar(@bad), 'each is counted';
$mgr->post({ type => 'fence', user_id => 'ann' });
is $ann->event->{type}, 'fence', 'and none was delivered';
