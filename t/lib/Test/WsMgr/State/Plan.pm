package Test::WsMgr::State::Plan;

# Endless random steps.  A plan depends on its seed and nothing else: never on
# time, nor on what came of the steps before.  The same seed takes the same
# steps.

use strict;
use warnings;

use Test::WsMgr::State::Dice;

# steps and how often each comes; numbers are resolved by the driver
my %common = (
    enter    => 30,    # a client connects, if it is away
    refused  => 3,     # an upgrade that has to be refused
    half     => 2,     # half an upgrade, half a frame
    leave    => 8,     # a client closes, drops or resets its connection
    sleep    => 2,     # a client stops reading, or reads again
    say      => 5,     # a client's message
    thread   => 3,     # a client shows another thread
    post     => 24,
    all      => 4,     # one event for each of the users, all alike
    batch    => 8,
    stream   => 4,
    wait     => 2,     # ?wait=
    repeat   => 3,     # the last event_id of a user again
    bad      => 2,     # a post that has to be refused
    look     => 4,     # GET events/{user}
    kick     => 1,
    newcomer => 2,     # a client becomes a user that nobody was before
);

my %faults = (
    shm   => { reload => 2, kill => 1, rest => 2, clock => 2 },
    memory => { rest => 2, memory => 3, slab => 3 },
    # finds a socket that an old worker leaves open
    memory_reload => { reload => 1, rest => 2, memory => 3, slab => 3 },
    redis => { reload => 1, kill => 1, rest => 2, clock => 4, save => 3,
               crash => 2, pause => 1 },
);

sub new {
    my ($class, %option) = @_;          # seed, faults

    my %weights = (%common, %{ $faults{ $option{faults} } });

    # how drunk: each seed has steps that it likes, and some that it never takes
    my $dice = Test::WsMgr::State::Dice->new($option{seed});
    my @weights = map {
        $_ => $weights{$_} * ($common{$_} ? 1 + $dice->below(3) : 2);
    } sort keys %weights;

    return bless { dice => $dice, weights => \@weights, taken => 0 }, $class;
}

# the next step: { name, number, and draws that the step may use }
sub next {
    my ($self) = @_;
    my $dice = $self->{dice};

    return {
        number => ++$self->{taken},
        name   => $dice->one_of(@{ $self->{weights} }),
        draws  => [ map { $dice->below(1 << 24) } 1 .. 8 ],
    };
}

1;
