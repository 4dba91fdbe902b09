#!/usr/bin/perl

# A thousand messages one after the other on one socket, of each size.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();

for my $opcode (1, 2) {
    for my $size (0, 16, 64, 256, 1024, 4096) {
        my $socket = socket_of($mgr);
        my $good = 0;

        for my $n (1 .. 1000) {
            my $payload = substr sprintf('%-20d', $n) . 'x' x $size, 0, $size;

            $socket->frame($opcode, $payload);

            my $echo = $socket->next_frame // last;

            $good += $echo->{opcode} == $opcode && $echo->{fin}
                     && $echo->{payload} eq $payload;
        }

        is $good, 1000, "opcode $opcode, $size bytes";
        is $socket->close(1000), 1000, 'goodbye';
    }
}
