#!/usr/bin/perl

# A worker is killed: its sockets leave the registry, the others go on.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100;
                     add_header X-Worker $pid always; }
    location /api/ { ws_mgr_api; }
CONF

my @sockets = map { $mgr->connect('ann') } 1 .. 40;
my $victim = $sockets[0]->worker;
my @dead = grep { $_->worker == $victim } @sockets;
my @alive = grep { $_->worker != $victim } @sockets;

ok @alive && $victim, scalar(@dead) . ' of 40 sockets are in one worker';

my $position = $mgr->post({ type => 'before', user_id => 'ann' })->{id};

$_->event for @sockets;
$mgr->kill_worker($victim);

my $start = now();

eventually { $mgr->connections_of('ann') == @alive } 'they are gone', 2;
is $_->closed, 1006, 'cut off' for @dead;

my $result = $mgr->post({ type => 'after', user_id => 'ann' });

is $result->{sockets}, scalar(@alive), 'nobody else is matched';
is $_->event->{type}, 'after', 'the others go on' for @alive;

# who was cut off comes back and has missed nothing
my $back = $mgr->connect('ann', query => "last_event_id=$position");

ok $back->{welcome}{resumed}, 'resumed';
is $back->event->{type}, 'after', 'with what it missed';

eventually { $mgr->workers == 4 } 'another worker takes the place';
is $mgr->counter('ws_mgr_dead_workers_total'), 1, 'counted';

# all of them, one after the other
for my $pid ($mgr->workers) {
    $mgr->kill_worker($pid);
    eventually { !grep { $_ == $pid } $mgr->workers } "worker $pid is dead";
}

eventually { $mgr->workers == 4 } 'four again';
eventually { $mgr->status->{connections} == 0 } 'nobody is left', 4;

my $new = $mgr->connect('ann', query => "last_event_id=$position");

is $new->event->{type}, 'after', 'the log outlives every worker';
