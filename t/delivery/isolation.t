#!/usr/bin/perl

# A hundred users, three sockets each: every socket has what it was due, and no more.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4, http => 'ws_mgr_log events=1000;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api events tickets users broadcast; }
CONF

my (%sockets, %due);
my @users = map { "user-$_" } 1 .. 100;

for my $user (@users) {
    for my $n (0 .. 2) {
        my $socket = $mgr->connect($user);

        $socket->say({ type => 'thread_switched', thread_id => "t$n" });
        push @{ $sockets{$user} }, $socket;
        $due{$socket} = [];
    }
}

# the threads are known once each pong is here
for my $socket (map { @$_ } values %sockets) {
    $socket->say({ type => 'ping' });
    is $socket->event->{type}, 'pong', 'ready';
}

# posts of every kind, in random order, by several clients in turn
my @clients = map { $mgr->client } 1 .. 4;
my ($n, $seen) = (0, 0);

my %kind = (
    user => sub {
        my ($user) = @_;

        return ({ user_id => $user }, @{ $sockets{$user} });
    },
    thread => sub {
        my ($user) = @_;
        my $t = int rand 3;

        return ({ user_id => $user, audience => 'thread',
                  thread_id => "t$t" }, $sockets{$user}[$t]);
    },
    connection => sub {
        my ($user) = @_;
        my $socket = $sockets{$user}[rand 3];

        return ({ user_id => $user, connection_id => $socket->{id} }, $socket);
    },
    users => sub {
        my ($user) = @_;
        my $other = $users[rand @users];

        $other = 'nobody' if $other eq $user;

        return ({ user_ids => [ $user, $other ] },
                map { @{ $sockets{$_} || [] } } $user, $other);
    },
);
my @kinds = ((sort keys %kind), ('user') x 4);

for my $round (1 .. 60) {
    my @batch;

    for (1 .. 25) {
        my ($event, @for) = $kind{ $kinds[rand @kinds] }->($users[rand @users]);

        push @batch, { type => 'n', n => ++$n, %$event };
        push @{ $due{$_} }, $n for @for;
    }

    $clients[rand @clients]->post('/api/events',
                                  encode({ events => \@batch }));
}

$mgr->post({ type => 'end', user_id => $_ }) for @users;

for my $user (@users) {
    for my $socket (@{ $sockets{$user} }) {
        my (@heard, $wrong, $last);

        while (my $text = $socket->next_text) {
            last if $text =~ /"type":"end"/;

            my ($seq) = $text =~ /"seq":(\d+)/;

            push @heard, $text =~ /"n":(\d+)/;
            $wrong++ if defined $last && $seq <= $last
                        || $text !~ /"user_id":"\Q$user\E"/
                        || $text =~ /user_ids|audience|connection_id/;
            $last = $seq;
        }

        my $same = "@heard" eq "@{ $due{$socket} }" && !$wrong;

        $seen += @heard;
        ok $same, "$user has its events" if !$same;
    }
}

cmp_ok $seen, '>', 3000, "$seen deliveries, each where it was due";
