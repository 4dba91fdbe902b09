#!/usr/bin/perl

# Text and binary messages of one frame, at the borders of the length field.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();

for my $n (0, 1, 124 .. 129, 255, 256, 65_534 .. 65_537) {
    my @messages = (
        [ 'ASCII', text('*' x $n) ],
        [ 'text', text(random_text($n)) ],
        [ 'binary', binary(random_bytes($n)) ],
        [ 'bytes that are no text', binary("\xfe" x $n) ],
    );

    rows $mgr, map { [ "$_->[0] of $n", [ $_->[1] ], $_->[1] ] } @messages;
}

# masks are any four bytes
for my $mask ("\0\0\0\0", "\xff\xff\xff\xff", "\0\0\0\1", "\x80\0\xff\x7f") {
    my $text = random_text(300);

    rows $mgr,
         [ 'mask ' . unpack('H*', $mask), [ text($text, mask => $mask) ],
           text($text) ];
}

# many in one packet, in order, none lost
my @many = map { rand() < 0.5 ? text(random_text(rand 300))
                              : binary(random_bytes(rand 300)) } 1 .. 200;

rows $mgr, [ 'many', \@many, @many ];
