#!/usr/bin/perl

# A client that is drunk: random steps of a seed, HTTP and WebSocket, while
# workers, clocks and Redis fail; each answer and each frame is checked against
# a model of PROTOCOL.md.  WS_MGR_STATE seconds of it, "make fuzz-state".

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::State;

# --- the same seed takes the same steps ---

my @plans = map {
    my $plan = Test::WsMgr::State::Plan->new(seed => $_, faults => 'redis');

    [ map { $plan->next } 1 .. 500 ];
} 7, 7, 8;

is_deeply $plans[0], $plans[1], 'one seed, one plan';
isnt encode($plans[0]), encode($plans[2]), 'another seed, another plan';

# --- the steps ---

# Redis joins where faults 3 and 5 of issue 16 are gone: "make fuzz-state
# ENGINE=redis" finds them
Test::WsMgr::State->rounds(engines => 'shm');
