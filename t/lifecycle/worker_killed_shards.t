#!/usr/bin/perl

# What old workers leave to each other after a reload to fewer shards does
# not lead new ones astray.

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Test::WsMgr;

my $drain = 'ws_mgr_drain 1h;';
my $mgr = manager(<<'CONF', workers => 2, http => "ws_mgr_zone 16m shards=8; $drain");
    location /ws   { ws_mgr_socket; add_header X-Worker $pid always; }
    location /api/ { ws_mgr_api; add_header X-Worker $pid always; }
CONF

my @users = map { "user-$_" } 1 .. 32;
my @sockets = map { $mgr->connect($_) } @users;
my $victim = $sockets[0]->worker;

# a post that has begun in the worker that is to live
my $body = encode({ type => 'x', user_ids => \@users });
my $post = wait_until {
    my $http = IO::Socket::INET->new(PeerAddr => $mgr->address) or return;

    print $http "GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n";
    sysread $http, my $answer, 65536;

    return $answer =~ /X-Worker: (\d+)/ && $1 != $victim && $http;
} 10;

print $post "POST /api/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
          . "Content-Type: application/json\r\nContent-Length: "
          . length($body) . "\r\n\r\n" . substr $body, 0, 10;
select undef, undef, undef, 0.2;

ok $mgr->reload(http => "ws_mgr_zone 16m shards=1; $drain"), 'fewer shards';

# new workers take the slots of the dead
my $swept = sub {
    my ($pid) = @_;

    return !grep { $_->{pid} == $pid } @{ $mgr->status->{workers} };
};

$mgr->kill_worker($victim);
eventually { $swept->($victim) } 'its slot is free';

my ($new) = $mgr->workers;

$mgr->kill_worker($new);

my @workers;

eventually {
    @workers = $mgr->workers;
    return @workers == 2 && !grep { $_ == $new } @workers;
} 'another worker';

print $post substr $body, 10;
like join('', <$post>), qr/"accepted":1/, 'posted in the old worker';

# each of the new ones is woken, and lives
for (1 .. 8) {
    my $zoe = $mgr->connect('zoe');

    $mgr->post({ type => 'x', user_id => 'zoe' });
    is $zoe->event->{type}, 'x', 'told';
}

my @left = sort $mgr->workers;

is_deeply \@left, [ sort @workers ], 'the new workers are the same';
