#!/usr/bin/perl

# Whoever posts at once, each socket of a user hears one and the same order.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4, http => 'ws_mgr_log events=4000 bytes=8m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 8;
my ($publishers, $posts) = (4, 250);

my @children;

for my $publisher (1 .. $publishers) {
    push @children, fork;
    next if $children[-1];

    my $client = $mgr->client;

    for my $n (1 .. $posts) {
        my @batch = map { { type => 'n', user_id => 'ann',
                            who => "$publisher:$n:$_" } } 1 .. 1 + $n % 3;

        $client->post('/api/events', encode({ events => \@batch }));
    }

    POSIX::_exit(0);
}

waitpid $_, 0 for @children;
$mgr->post({ type => 'end', user_id => 'ann' });

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
my %of = map { $_ => [] } 1 .. $publishers;

push @{ $of{ (split /:/)[0] } }, $_ for @all;
is scalar(grep { $_ ne $orders[0] } @orders), 0, 'one order for all sockets';
is scalar(@all), $publishers * 500, 'of all that was posted';

for my $publisher (1 .. $publishers) {
    is_deeply $of{$publisher},
              [ map { my $n = $_; map { "$publisher:$n:$_" } 1 .. 1 + $n % 3 }
                1 .. $posts ], 'which is the order of each publisher';
}
