#!/usr/bin/perl

# The server ends the TCP connection, and its close frame is not lost, whatever
# is in flight: bytes that it has not read would make the end a reset, which
# may overtake the frame.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing(tls => 1);
my ($worker) = $mgr->workers;
my $files = sub { scalar(() = glob "/proc/$worker/fd/*") };

# as much as the kernel takes of what the server does not read is little: it
# does not read while it has to write
my $noise = random_bytes(4_000_000);
my $little = random_bytes(50_000);
my $large = text('x' x 8_000_000);

# what is sent before a byte is read, and what comes
my @rows = (
    [ 'a goodbye, and noise behind it', [ bye(1000), $noise ], 'close 1000' ],
    [ 'a fault, and noise behind it', [ text('x', rsv => 4), $noise ],
      'close 1002' ],
    [ 'a goodbye behind an echo that is in flight', [ $large, bye(1001) ],
      Test::WsMgr::Frames::name($large), 'close 1001' ],
    [ 'the same, and noise behind it', [ $large, bye(1001), $little ],
      Test::WsMgr::Frames::name($large), 'close 1001' ],
    [ 'a fault behind an echo that is in flight',
      [ $large, text("\xff"), $little ],
      Test::WsMgr::Frames::name($large), 'close 1007' ],
    [ 'more than a message may have', [ binary('x' x 17_000_000) ],
      'close 1009' ],
);

my %over = (TCP => {}, TLS => { tls => 1 });

for my $over (sort keys %over) {

    for (@rows) {
        my ($name, $sent, @wanted) = @$_;
        my $socket = socket_of($mgr, %{ $over{$over} });

        $socket->raw(bytes(@$sent));
        is_deeply [ heard($socket) ], [ @wanted, 'end' ], "$name, over $over";
        $socket->drop;
    }
}

# a client that sends no more is one that listens yet
for my $first ($large, ping('last')) {
    my $socket = socket_of($mgr);
    my @back = $first->[0] == 9 ? "pong 'last'"
                                : Test::WsMgr::Frames::name($first);

    $socket->raw(bytes($first, bye(1000)));
    $socket->{stream}->shut;
    is_deeply [ heard($socket) ], [ @back, 'close 1000', 'end' ],
              'a half-closed connection';
}

# a client that never ends it is left alone with its half
eventually { $mgr->status->{connections} == 0 } 'nobody is there';

my $before = $files->();
my @held = map { socket_of($mgr) } 1 .. 20;

$_->raw(bytes(bye(1000))) for @held;
is_deeply [ heard($_) ], [ 'close 1000', 'end' ], 'ended' for @held;
is scalar($mgr->connections_of('ann')), 0, 'none is in the registry';
eventually { $files->() <= $before } 'and none has a file any more';
