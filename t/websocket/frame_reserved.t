#!/usr/bin/perl

# Bits and opcodes that mean nothing, frames without a mask, lengths that are
# not the shortest: each fails the connection, and only from there on.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $hello = text('Hello, world!');

my %frame = (
    text           => sub { text('Hello, world!', @_) },
    binary         => sub { binary("\x00\xff\xfe\xfd\xfc", @_) },
    'empty text'   => sub { text('', @_) },
    ping           => sub { ping('p', @_) },
    pong           => sub { pong('p', @_) },
    close          => sub { [ @{ bye(1000) }, @_ ] },
    'a first part' => sub { text('x', fin => 0, @_) },
);

# each combination of the three bits
for my $rsv (1 .. 7) {
    for my $name (sort keys %frame) {
        rows $mgr, (
            [ "RSV $rsv of $name", [ $frame{$name}(rsv => $rsv) ], 1002 ],
            [ "RSV $rsv of $name, after a text",
              [ $hello, $frame{$name}(rsv => $rsv), ping('late') ],
              $hello, 1002 ],
        );
    }

    rows $mgr, [ "RSV $rsv of a continuation",
                 [ text('a', fin => 0), more('b', rsv => $rsv) ], 1002 ];
}

# each opcode that is reserved, by itself and within a message
for my $opcode (3 .. 7, 11 .. 15) {
    rows $mgr, (
        [ "opcode $opcode", [ reserved($opcode, '') ], 1002 ],
        [ "opcode $opcode with a payload", [ reserved($opcode, 'payload') ],
          1002 ],
        [ "opcode $opcode, not final", [ reserved($opcode, '', fin => 0) ],
          1002 ],
        [ "opcode $opcode, after a text",
          [ $hello, reserved($opcode, 'payload'), ping() ], $hello, 1002 ],
        [ "opcode $opcode, within a message",
          [ text('a', fin => 0), reserved($opcode, ''), more('b') ], 1002 ],
    );
}

# a client's frame without a mask
rows $mgr, map { [ "$_ without a mask",
                   [ $hello, $frame{$_}(mask => 0), ping() ], $hello, 1002 ] }
           sort keys %frame;

# lengths that have a shorter form, and one with the highest bit
for my $name (qw/ text binary /) {
    my $frame = $frame{$name};

    rows $mgr, (
        (map { [ "$name of $_, said in two bytes",
                 [ [ $frame->()->[0], 'x' x $_, length => 2 ] ], 1002 ] }
         0, 1, 125),
        (map { [ "$name of $_, said in eight bytes",
                 [ [ $frame->()->[0], 'x' x $_, length => 8 ] ], 1002 ] }
         0, 125, 126, 65_535),
    );
}

rows $mgr, (
    [ 'a length of 2^63', [ "\x82\xff\x80" . "\0" x 7 . 'mask' ], 1002 ],
    [ 'a length of 2^64 - 1', [ "\x82\xff" . "\xff" x 8 . 'mask' ], 1002 ],
    [ 'a length of 2^63 - 1', [ "\x82\xff\x7f" . "\xff" x 7 . 'mask' ],
      1009 ],
);

# two bytes say it: nothing more is waited for
for my $start ("\xc1\x80", "\x83\x80", "\x8b\x80", "\x81\x05", "\x80\x80",
               "\x89\x00")
{
    my $socket = socket_of($mgr);

    $socket->raw($start);
    is_deeply [ heard($socket) ], [ 'close 1002', 'end' ],
              unpack('H*', $start) . ' is enough';
}
