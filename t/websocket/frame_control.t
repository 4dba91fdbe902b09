#!/usr/bin/perl

# Pings are answered with what they carry; pongs are not answered.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $full = random_bytes(125);
my @ten = map { "ping $_" } 1 .. 10;

rows $mgr, (
    [ 'a ping of nothing', [ ping() ], pong() ],
    [ 'a ping', [ ping('Hello') ], pong('Hello') ],
    [ 'a ping of bytes', [ ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff") ],
      pong("\x00\xff\xfe\xfd\xfc\xfb\x00\xff") ],
    [ 'a ping of 125 bytes', [ ping($full) ], pong($full) ],
    [ 'a pong of nothing', [ pong() ] ],
    [ 'a pong', [ pong('unasked') ] ],
    [ 'a pong of 125 bytes', [ pong($full) ] ],
    [ 'a pong, then a ping', [ pong('unasked'), ping('asked') ],
      pong('asked') ],
    [ 'ten pings', [ map { ping($_) } @ten ], map { pong($_) } @ten ],
    [ 'pings and texts', [ map { (ping($_), text($_)) } @ten ],
      map { (pong($_), text($_)) } @ten ],

    # 126 bytes are too many for a control frame, however they are said
    (map {
        my ($name, $opcode) = @$_;

        (
            [ "a $name of 126 bytes", [ reserved($opcode, 'x' x 126) ], 1002 ],
            [ "a $name of 65536 bytes", [ reserved($opcode, 'x' x 65_536) ],
              1002 ],
            [ "a $name of 5 bytes, said in two",
              [ reserved($opcode, "\x03\xe8...", length => 2) ], 1002 ],
            [ "a $name of 5 bytes, said in eight",
              [ reserved($opcode, "\x03\xe8...", length => 8) ], 1002 ],
            [ "a $name in fragments", [ reserved($opcode, '', fin => 0) ],
              1002 ],
        )
    } [ close => 8 ], [ ping => 9 ], [ pong => 10 ]),

    [ 'a ping in fragments, which end',
      [ ping('frag', fin => 0), more('ment') ], 1002 ],
    [ 'a pong in fragments, which end',
      [ pong('frag', fin => 0), more('ment') ], 1002 ],
);

# the fault is in the second byte: nothing more is waited for
for my $start ("\x89\xfe", "\x8a\xff", "\x88\xfe", "\x09\x80") {
    my $socket = socket_of($mgr);

    $socket->raw($start);
    is_deeply [ heard($socket) ], [ 'close 1002', 'end' ],
              unpack('H*', $start) . ' is enough';
}
