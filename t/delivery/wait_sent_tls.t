#!/usr/bin/perl

# Over TLS, too, no event is said to be sent whose bytes have not left: what
# waits in a record of TLS are many events at once.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', tls => 1, http => 'ws_mgr_log events=100000 bytes=64m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $stuck = $mgr->connect('ann', tls => 1,
                          to => 'unix:' . $mgr->path('tls.sock'));
my $look = sub { $mgr->watched("connections/$stuck->{id}") };
my %event = (type => 'n', user_id => 'ann', pad => 'x' x 200);

# the first one is read: how long it is, the others are at least
$mgr->post({ %event });

my $size = length $stuck->next_text;

# fifty events a post, until the socket takes no more
wait_until {
    my $answer = $mgr->try_post([ map { { %event } } 1 .. 50 ]);
    my ($last) = $answer->{json}{events}[-1]{id} =~ /(\d+)$/;
    my ($sent) = ($look->()->{sent} // '') =~ /(\d+)$/;

    return $last - ($sent // 0) > 200;
} 10;

my $state = $look->();
my ($sent) = $state->{sent} =~ /(\d+)$/;

cmp_ok $sent * $size, '<=', $state->{bytes_out},
       'the bytes of all that are sent have left';
