#!/usr/bin/perl

# Whoever posts at once, and where: each socket of a user hears one and the
# same order, whatever node it is connected to.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my @nodes = nodes(3, $redis);
my @ann = map { $nodes[$_ % 3]->connect('ann') } 0 .. 5;
my ($publishers, $posts) = (4, 100);
my @children;

for my $publisher (1 .. $publishers) {
    push @children, fork;
    next if $children[-1];

    my $client = $nodes[$publisher % 3]->client;

    for my $n (1 .. $posts) {
        my @batch = map { { type => 'n', user_id => 'ann',
                            who => "$publisher:$n:$_" } } 1 .. 1 + $n % 3;

        $client->post('/api/events', encode({ events => \@batch }));
    }

    POSIX::_exit(0);
}

waitpid $_, 0 for @children;

my $end = $nodes[0]->post({ type => 'end', user_id => 'ann' });

is $end->{sockets}, 2, 'sockets of this node';
is $end->{nodes}, 3, 'nodes that heard';

my @orders;

for my $socket (@ann) {
    my (@heard, $last);

    while (my $text = $socket->next_text) {
        my ($seq) = $text =~ /"seq":(\d+)/;

        fail "seq $seq after $last" if defined $last && $seq != $last + 1;
        $last = $seq;
        last if $text =~ /"end"/;
        push @heard, $text =~ /"who":"([^"]+)"/;
    }

    push @orders, "@heard";
}

my @all = split / /, $orders[0];
my $sum = 0;

$sum += 1 + $_ % 3 for 1 .. $posts;

is scalar(grep { $_ ne $orders[0] } @orders), 0, 'one order for all sockets';
is scalar(@all), $publishers * $sum, 'of all that was posted';

for my $publisher (1 .. $publishers) {
    my @own = grep { /^$publisher:/ } @all;
    my @due = map { my $n = $_; map { "$publisher:$n:$_" } 1 .. 1 + $n % 3 }
              1 .. $posts;

    is "@own", "@due", "publisher $publisher: in its order";
}
