#!/usr/bin/perl

# Compressed messages in any form of DEFLATE, whole and in fragments: what
# they stand for is echoed.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

use Compress::Raw::Zlib;

my $mgr = echoing(extensions => 'permessage-deflate', tls => 1);

my $hello = text('Hello');
my $long = text('one and the same again and again ' x 200);
my $mixed = text(random_text(5000));
my $noise = binary(random_bytes(5000));
my @messages = ($hello, $long, $mixed, $noise, binary('x' x 70_000));

# a payload that is DEFLATE as it stands
sub raw_deflate { my ($opcode, $hex) = @_;
                  [ $opcode, pack('H*', $hex =~ s/ //gr), rsv => 4 ] }

# the RFC's own examples, section 7.2.3
rows $mgr, (
    [ 'one block', [ raw_deflate(1, 'f248cdc9c90700') ], $hello ],
    [ 'the same in two frames',
      [ fragments(raw_deflate(1, 'f248cdc9c90700'), 3) ], $hello ],
    [ 'a stored block', [ raw_deflate(1, '000500faff48656c6c6f00') ], $hello ],
    [ 'with BFINAL', [ raw_deflate(1, 'f348cdc9c9070000') ], $hello ],
    [ 'two blocks', [ raw_deflate(1, 'f248050000 00ffff cac9c90700') ],
      $hello ],
    [ 'an empty message', [ raw_deflate(1, '00') ], text('') ],
    [ 'an empty message with BFINAL', [ raw_deflate(2, '0300 00') ],
      binary('') ],
    [ 'nothing at all', [ raw_deflate(1, '') ], text('') ],
    [ 'nothing at all, in fragments',
      [ fragments(raw_deflate(2, ''), [ '', '', '' ]) ], binary('') ],
    [ 'empty blocks only', [ raw_deflate(1, '000000ffff' x 20 . '00') ],
      text('') ],
    [ 'the same message twice', [ (raw_deflate(1, 'f248cdc9c90700')) x 2 ],
      $hello, $hello ],
);

# all that zlib makes of a message
my %how = (
    (map { ("level $_" => { level => $_ }) } 0, 1, 6, 9),
    (map { ("$_ bits" => { bits => $_ }) } 9 .. 15),
    'fixed codes'    => { strategy => Z_FIXED },
    'Huffman only'   => { strategy => Z_HUFFMAN_ONLY },
    'run lengths'    => { strategy => Z_RLE },
    'little memory'  => { memory => 1 },
    'a final block'  => { final => 1 },
    'stored, final'  => { final => 1, level => 0 },
    'many flushes'   => { at => [ map { $_ * 2 } 1 .. 1000 ] },
);

for my $name (sort keys %how) {
    my @sent = map {
        my %how = %{ $how{$name} };
        my $n = length $_->[1];

        $how{at} = [ grep { $_ < $n } @{ $how{at} } ] if $how{at};
        deflated($_, %how);
    } @messages;

    rows $mgr, (
        [ $name, \@sent, @messages ],
        [ "$name, in fragments", [ map { fragments($_, 100) } @sent ],
          @messages ],
        [ "$name, pings between", [ fragments($sent[1], 7, ping('now')) ],
          (map { pong('now') }
           1 .. (length($sent[1][1]) - 1) / 7), $messages[1] ],
    );
}

# final blocks one after the other, and others behind them
my $final = sub { my ($text) = @_;
                  my $payload = deflated(text($text), final => 1)->[1];
                  chop $payload;
                  return $payload };

rows $mgr, (
    [ 'three final blocks',
      [ [ 1, $final->('a' x 9) . $final->('b') . $final->('c') . "\0",
          rsv => 4 ] ], text('aaaaaaaaabc') ],
    [ 'a final block and one that is none',
      [ [ 1, $final->('first ') . deflated(text('second'))->[1], rsv => 4 ] ],
      text('first second') ],
);

# what is compressed and what is not in any order, and fragments of both
rows $mgr, (
    [ 'both kinds', [ $long, deflated($long), $hello, deflated($hello),
                      fragments($mixed, 999), deflated($noise), $noise ],
      $long, $long, $hello, $hello, $mixed, $noise, $noise ],
    [ 'empty fragments between',
      [ fragments(deflated($hello), [ '', (map { ($_, '') }
                                           split //, deflated($hello)->[1]),
                                      '' ]) ], $hello ],
    [ 'a goodbye in a message', [ (fragments(deflated($long), 10))[0],
                                  bye(1001) ], 1001 ],
);

# a byte a frame, a control frame behind each, and each read by itself
my $payload = deflated($mixed, level => 9)->[1];
my $socket = socket_of($mgr, to => $mgr->unix);

in_pieces($socket, 1, split //,
          bytes(fragments([ 1, substr($payload, 0, length $payload),
                            rsv => 4 ], 1, pong())));
is_deeply [ heard($socket, 1) ], [ Test::WsMgr::Frames::name($mixed) ],
          'byte by byte by byte';

# with the request, a part of it with the request, and over TLS
my $bytes = bytes(deflated($long), fragments(deflated($mixed), 50));
my $part = int rand length $bytes;

for my $over ({}, { tls => 1 }) {
    for my $n (0, 20, $part, length $bytes) {
        $socket = socket_of($mgr, %$over, early => substr $bytes, 0, $n);
        $socket->raw(substr $bytes, $n);
        is_deeply [ heard($socket, 2) ],
                  [ map { Test::WsMgr::Frames::name($_) } $long, $mixed ],
                  "$n bytes with the request" . (%$over ? ', over TLS' : '');
        $socket->drop;
    }
}
