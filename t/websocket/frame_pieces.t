#!/usr/bin/perl

# Large messages in many frames, and in many packets.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();

# what comes back, and that the goodbye is the last of it
sub echoes {
    my ($socket, $message, $name) = @_;

    $socket->raw(bytes(bye(1000)));
    is_deeply [ heard($socket) ],
              [ Test::WsMgr::Frames::name($message), 'close 1000', 'end' ],
              $name;
    $socket->drop;
}

for my $kind (qw/ text binary /) {
    my $message = $kind eq 'text' ? sub { text(random_text($_[0])) }
                                  : sub { binary(random_bytes($_[0])) };
    my $large = $message->(4 << 20);

    # 4 MB in fragments, many in a packet
    for my $size (64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1 << 20,
                  4 << 20)
    {
        my $socket = socket_of($mgr);
        my @opcodes = ($large->[0], (0) x (-1 + (4 << 20) / $size));
        my $frames = '';

        for my $payload (unpack "(a$size)*", $large->[1]) {
            $frames .= bytes([ shift @opcodes, $payload, fin => !@opcodes,
                               mask => 'mask' ]);

            $socket->raw(substr $frames, 0, length $frames, '')
                if length $frames > 100_000 || !@opcodes;
        }

        echoes($socket, $large, "4 MB of $kind in fragments of $size");
    }

    # one frame of 1 MB in pieces
    for my $size (64, 128, 256, 512, 1024, 2048) {
        my $socket = socket_of($mgr);
        my $sent = $message->(1 << 20);

        in_pieces($socket, 0, unpack "(a$size)*", bytes($sent));
        echoes($socket, $sent, "1 MB of $kind in pieces of $size");
    }

    # and one of 64 kB, also by single bytes that are each read alone
    for my $size (997, 1) {
        my $n = $size == 1 ? 8192 : 65_536;
        my $socket = socket_of($mgr, to => $mgr->unix);
        my $sent = $message->($n);

        in_pieces($socket, 1, unpack "(a$size)*", bytes($sent));
        echoes($socket, $sent, "$n of $kind in pieces of $size");
    }
}
