#!/usr/bin/perl

# An event is compressed once for all sockets of a worker that have the same
# window, not for each of them.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

use Compress::Raw::Zlib;

my $mgr = manager(<<'CONF', workers => 1);
    location /ws   { ws_mgr_socket; ws_mgr_deflate on min=100;
                     ws_mgr_ping off;
                     ws_mgr_connections user=off; }
    location /api/ { ws_mgr_api; }
    location /all/ { ws_mgr_api broadcast; }
CONF

my $text = 'all that an agent has to say, and says again ' x 20;
my $made = 'ws_mgr_deflated_total';
my $offer = 'permessage-deflate; server_max_window_bits';

sub sockets {
    my ($n, $user, $offer) = @_;
    my $ticket = $mgr->ticket($user, single_use => JSON::PP::false);

    return map {
        my $socket = $mgr->upgrade(
            ticket  => $ticket,
            headers => { 'Sec-WebSocket-Extensions' => $offer });

        $socket->next_frame;
        $socket;
    } 1 .. $n;
}

# what the frame says, by an inflater that has no larger window than agreed
sub said {
    my ($frame, $bits) = @_;

    return 'not compressed' if $frame->{rsv} != 4;

    my ($inflate) = Compress::Raw::Zlib::Inflate->new(-WindowBits => -$bits,
                                                      -AppendOutput => 1);
    my $in = "$frame->{payload}\0\0\xff\xff";
    my $status = $inflate->inflate($in, my $out = '');

    return $status == Z_OK || $status == Z_BUF_ERROR ? $out : "error $status";
}

sub all_hear {
    my ($what, $bits, @sockets) = @_;
    my %heard;

    for (@sockets) {
        my ($data) = said($_->next_frame || {}, $bits)
                     =~ /"data": ?"([^"]*)"/;

        $heard{ $data // 'nothing' }++;
    }

    is_deeply \%heard, { $text => scalar @sockets }, $what;
}

# more than are served in one turn of the loop
my @many = sockets(300, 'ann', $offer =~ s/;.*//r);
my @small = sockets(3, 'ann', "$offer=9");

$mgr->counts($made, 2, sub {
    $mgr->post({ type => 'x', user_id => 'ann', data => $text });
    all_hear('three hundred sockets hear it', 15, @many);
    all_hear('and three with a small window', 9, @small);
});

# sockets of both windows, one after the other
my @mixed = map { sockets(1, 'bob', "$offer=" . (15 - $_ % 2 * 3)) } 0 .. 7;

$mgr->counts($made, 2, sub {
    $mgr->post({ type => 'x', user_id => 'bob', data => $text });
    all_hear('sockets of two windows', 15 - $_ % 2 * 3, $mixed[$_])
        for 0 .. 7;
});

# events for one thread are not for all that stand at one cursor
for my $socket (@mixed[0, 2, 4]) {
    $socket->say({ type => 'thread_switched', thread_id => 't' });
    $socket->say({ type => 'ping' });
    is $socket->event->{type}, 'pong', 'its thread is known';
}

$mgr->counts($made, 1, sub {
    $mgr->post({ type => 'x', user_id => 'bob', audience => 'thread',
                 thread_id => 't', data => $text });
    all_hear('three sockets of a thread', 15, @mixed[0, 2, 4]);
});

# a broadcast
my $before = $mgr->counter($made);
my $answer = $mgr->client->post('/all/events',
    encode({ type => 'x', user_id => '*', data => $text }));

is $answer->{status}, 200, 'broadcast';

all_hear('all with the largest window hear it', 15, @many, @mixed[0, 2, 4, 6]);
all_hear('and with the smallest', 9, @small);
all_hear('and others', 12, @mixed[1, 3, 5, 7]);

is $mgr->counter($made) - $before, 3, 'once for each window';

# what is short goes as it is
$mgr->counts($made, 0, sub {
    $mgr->post({ type => 'short', user_id => 'bob' });
    is +($mixed[0]->next_frame || {})->{rsv}, 0, 'not compressed';
});
