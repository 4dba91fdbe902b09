#!/usr/bin/perl

# A reload sends the sockets of the old workers away, gently.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_drain 2s;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100; }
    location /api/ { ws_mgr_api; }
CONF

my @old = map { $mgr->connect('ann') } 1 .. 20;
my $first = $mgr->post({ type => 'n', user_id => 'ann', n => 0 });

$_->event for @old;
ok $mgr->reload, 'new workers';

# posted while the old workers say goodbye
my $n = 0;
my %left = map { $_ => $old[$_] } 0 .. $#old;
my (@delays, @closed, %last);

wait_until {
    $mgr->post({ type => 'n', user_id => 'ann', n => ++$n });

    for my $i (keys %left) {
        my $socket = $left{$i};

        while (my $message = $socket->message(0.001)) {
            my $event = decode($message->{payload});

            if ($event->{type} eq 'server_shutdown') {
                push @delays, $event->{reconnect_after_ms};
                is $event->{reason}, 'reload', 'why';
            } else {
                my $expected = ($last{$i} // 0) + 1;

                is $event->{n}, $expected, 'in order'
                    if $event->{n} != $expected;
                $last{$i} = $event->{n};
            }
        }

        if ($socket->{close}) {
            push @closed, $socket->{close}{code};
            delete $left{$i};
        }
    }

    return !%left;
} 10;

is_deeply [ keys %left ], [], 'all were sent away';
is_deeply \@closed, [ (1012) x 20 ], 'with 1012';
is scalar(@delays), 20, 'each was told before';
ok((grep { defined && $_ >= 0 } @delays) == 20, 'when to come back');

my %different = map { $_ => 1 } @delays;
ok keys %different > 10, 'each at its own time';

# who comes back has missed nothing
my $position = $first->{id};
my $back = $mgr->connect('ann', query => "last_event_id=$position");

ok $back->{welcome}{resumed}, 'the log has survived';
is_deeply [ map { $_->{n} } $back->events($n) ], [ 1 .. $n ], 'all of it';
is $mgr->counter('ws_mgr_server_closes_total{cause="drain"}'), 20, 'counted';
eventually { $mgr->children == 2 } 'the old workers have gone', 10;

# an open ticket survives too
my $ticket = $mgr->ticket('bob');
$mgr->reload;
is $mgr->upgrade(ticket => $ticket)->status, 101, 'a ticket across a reload';

# a worker that ends leaves nothing to be swept
is $mgr->counter('ws_mgr_dead_workers_total'), 0, 'none counts as dead';
unlike $mgr->log('error.log'), qr/worker \d+ died/, 'nor is said to be';
