#!/usr/bin/perl

# Users whose names have one hash are told apart, also where the tree of those
# that a worker follows has turned and the first stands to the left.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my ($here, $there) = nodes(2, $redis, workers => 1);

# ngx_murmur_hash2() of each is 3c1e9b1e
my @names = qw/ user-1588911 user-5771761 user-7369141 /;
my @fill = map { $here->connect("fill-$_") } 1 .. 10;
my %socket = map { $_ => $here->connect($_) } @names;

# another socket of each comes and goes
for my $name (@names) {
    my $second = $here->connect($name);

    $second->close;
    $second->ended;
    eventually { $here->connections_of($name) == 1 } "$name has one socket";
}

# what the worker had to tell Redis is told before it asks for a new user
push @fill, $here->connect('fence');

for my $name (@names) {
    my $said = $there->post({ type => 'hello', user_id => $name });

    is $said->{nodes}, 1, "the node that has the socket of $name hears of it";

    my $event = eval { $socket{$name}->event } || {};

    is $event->{id}, $said->{id}, 'and the socket has it';
}
