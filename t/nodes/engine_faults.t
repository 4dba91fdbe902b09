#!/usr/bin/perl

# A worker dies while it puts what Redis has ordered into a log, or takes a log
# for another: the others make the shard anew, tell their sockets, and have all
# that comes from then on from Redis.  (The other points are t/lifecycle/faults.t's.)

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

$ENV{WS_MGR_MODULE} = $ENV{WS_MGR_FAILPOINTS_MODULE} if $ENV{WS_MGR_FAILPOINTS_MODULE};
plan skip_all => 'a build with failpoints: make failpoints'
    if !$ENV{WS_MGR_FAILPOINTS_MODULE} && !$ENV{WS_MGR_ASAN};

my (@points, $function);

open my $source, '<', "$top/ngx_ws_mgr/shm/ngx_ws_mgr_append_ordered.c"
    or die $!;

for (<$source>) {
    $function = $1 if /^(ngx_ws_mgr_\w+)\(/;
    push @points, $function if /\bngx_ws_mgr_shard_unlock\(/;
    push @points, "${function}_midst" if /\bngx_ws_mgr_failpoint_midst\(/;
}

is @points, 3, "@points";

my $armed = File::Temp->newdir;
chmod 0777, $armed;
$ENV{WS_MGR_FAILPOINTS} = "$armed";

my $redis = Test::WsMgr::Redis->start;
my ($far) = do {
    local $ENV{WS_MGR_FAILPOINTS};
    nodes(1, $redis);
};
my ($near) = nodes(1, $redis, main => 'env WS_MGR_FAILPOINTS;', server => <<'S');
    ws_mgr_connections user=100;
    location /ws   { ws_mgr_socket; ws_mgr_ping off;
                     add_header X-Worker $pid always; }
    location /api/ { ws_mgr_api; }
S

for my $point (@points) {
    my (@eves, %of);

    # sockets in both workers
    wait_until {
        my $eve = $near->connect('eve');

        push @eves, $eve;
        push @{ $of{ $eve->worker } }, $eve;

        return keys %of == 2;
    };

    open my $file, '>', "$armed/$point" or die $!;
    chmod 0666, "$armed/$point";
    close $file;

    my $deaths = () = $near->log('error.log') =~ /exited on signal 9/g;

    $near->forget;

    if ($point =~ /feed$/) {
        $far->post({ type => 'x', user_id => 'eve' });
    } else {
        $redis->say('FLUSHALL');
    }

    eventually { !-e "$armed/$point" } "$point: a worker came there";
    eventually {
        my @dead = $near->log('error.log')
                   =~ /worker process (\d+) exited on signal 9/g;

        $near->{killed}{$_} = 1 for @dead;

        return @dead > $deaths;
    } 'and died';

    my @alive = map { @{ $of{$_} } } grep { !$near->{killed}{$_} } keys %of;

    # what was posted comes to those who are left, once the two have met again
    eventually {
        @{ ($far->watched('users/eve') || {})->{nodes} || [] } == 1
            && $near->connections_of('eve') == @alive;
    } 'the others are there';
    $far->post({ type => 'go_on', user_id => 'eve', n => $_ }) for 1 .. 5;

    for my $eve (@alive) {
        my (@n, $told);

        while (defined(my $text = $eve->next_text)) {
            my $event = decode($text);

            $told++ if $event->{type} eq 'stream_reset';
            push @n, $event->{n} if $event->{type} eq 'go_on';
            last if @n && $n[-1] == 5;
        }

        ok $told, 'told';
        is "@n", '1 2 3 4 5', 'and go on';
    }

    $_->abort for @eves;
    eventually { !$near->connections_of('eve') } 'all gone';
}
