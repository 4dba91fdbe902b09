#!/usr/bin/perl

# What is no DEFLATE, or not where it may be, ends the session; what is no text
# ends it at the first impossible byte of what comes out.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Deflate qw/ deflate inflater /;
use Test::WsMgr::Frames;

my $mgr = echoing(extensions => 'permessage-deflate');
my $hello = deflated(text('Hello'));
my $long = text(join '', map { "line $_ of many, " } 1 .. 500);
my $deflated = deflated($long);

sub raw { my ($hex, @option) = @_;
          [ 2, pack('H*', $hex =~ s/ //gr), rsv => 4, @option ] }

# RSV1 is for the first frame of a message
rows $mgr, (
    (map { [ "RSV $_ of a text", [ text('x', rsv => $_) ], 1002 ] }
     1, 2, 3, 5, 6, 7),
    (map { my $rsv = $_;
           map { [ "RSV $rsv of opcode $_", [ reserved($_, '', rsv => $rsv) ],
                   1002 ] } 8, 9, 10, 3, 11 } 4, 7),
    [ 'RSV1 of a continuation',
      [ text('x', fin => 0), more($hello->[1], rsv => 4) ], 1002 ],
    [ 'RSV1 of each fragment',
      [ text(substr($hello->[1], 0, 3), rsv => 4, fin => 0),
        more(substr($hello->[1], 3), rsv => 4) ], 1002 ],
    [ 'a second message in the first',
      [ [ @$hello, fin => 0 ], $hello ], 1002 ],
    [ 'after one that is fine', [ $hello, ping('x', rsv => 4) ],
      text('Hello'), 1002 ],
);

# what is no DEFLATE: by its first bits, its lengths, its codes, its distances
my @faults = (
    [ 'a block of a type that is none', raw('06') ],
    [ 'the same, behind a block', raw('f248cdc9c907 06') ],
    [ 'the same, final', raw('07') ],
    [ 'a stored block whose lengths disagree', raw('00 0500 0000 4865') ],
    [ 'a distance beyond the start', raw('4a0400 01000000') ],
    [ 'code lengths that are too many', raw('ec ff ff ff ff ff ff ff ff ff') ],
    [ 'noise', [ 2, "\xff" . random_bytes(500), rsv => 4 ] ],
    [ 'a zlib header', raw('789c f348cdc9c907') ],
    [ 'text as it is', [ 1, 'Hello, I am not compressed', rsv => 4 ] ],
    [ 'not the end of a block', [ 1, substr($deflated->[1], 0, -2),
                                  rsv => 4 ] ],
    [ 'half of it', [ 1, substr($deflated->[1], 0,
                                length($deflated->[1]) / 2), rsv => 4 ] ],
    [ 'a stored block that ends too soon', raw('00 0500 faff 4865') ],
    [ 'the beginning of a table of codes', raw('04 e0 01') ],
    [ 'its tail too', [ 2, $hello->[1] . "\xff\xff\xff", rsv => 4 ] ],
);

for (@faults) {
    my ($name, $frame) = @$_;

    rows $mgr, (
        [ $name, [ $frame ], 1007 ],
        [ "$name, in fragments", [ fragments($frame, 1) ], 1007 ],
        [ "$name, after one that is fine", [ $hello, $frame, ping() ],
          text('Hello'), 1007 ],
    );
}

# a window that was not to be kept: a message that refers to the last one
my ($z) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15,
                                            -AppendOutput => 1);
my @linked = map {
    my $out = '';

    $z->deflate($long->[1], $out);
    $z->flush($out, Compress::Raw::Zlib::Z_SYNC_FLUSH());
    [ 1, substr($out, 0, -4), rsv => 4 ];
} 1 .. 2;

rows $mgr, [ 'a message that refers to the last one', \@linked, $long, 1007 ];

# text that is none, as soon as it comes out
my @invalid = ("\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
               "\xce\xba\xe1\xbd\xb9\xf8\x88", 'x' x 70_000 . "\xfe");

for my $bytes (@invalid) {
    my $name = unpack 'H*', substr $bytes, -10;

    rows $mgr, (
        [ "no text: $name", [ deflated(text($bytes)) ], 1007 ],
        [ "in fragments: $name", [ fragments(deflated(text($bytes)), 2) ],
          1007 ],
        [ "fine as binary: $name", [ deflated(binary($bytes)) ],
          binary($bytes) ],
    );
}

rows $mgr, (
    [ 'text that ends too soon', [ deflated(text("\xce")) ], 1007 ],
    [ 'the same, in fragments',
      [ fragments(deflated(text("\xe4\xb8")), 1) ], 1007 ],
    [ 'the state is that of the message',
      [ deflated(binary("\xce")), deflated(text("\xce\xba")),
        deflated(text('x')) ], binary("\xce"), text("\xce\xba"), text('x') ],
);

# not before, and with the rest of frame and message held back
for my $bytes (map { "so far so good \xc3\xa4 $_ and so on" } @invalid) {
    my $at = impossible_at($bytes);

    for my $fin (0, 1) {
        my $name = 'byte ' . $at . ' of '
                   . unpack('H*', substr $bytes, $at - 4, 5);
        my $payload = deflate($bytes, at => [ $at, $at + 1 ]);
        my $frame = bytes([ 1, $payload, rsv => 4, fin => $fin ]);
        my $head = length($frame) - length $payload;
        my $socket = socket_of($mgr, to => $mgr->unix);
        my $stream = $socket->{stream};

        # where the flushes are: behind what a decoder makes that much of
        my @flushes = map { $head + flushed($payload, $_) } $at, $at + 1;

        $stream->write(substr $frame, 0, $flushes[0]);
        $stream->is_read;
        $mgr->watched('health');
        ok $stream->silent, "$name, not before";

        $stream->write(substr $frame, $flushes[0],
                       $flushes[1] - $flushes[0]);
        is_deeply [ heard($socket) ], [ 'close 1007', 'end' ], $name;
        $socket->drop;
    }
}

# how many bytes of the payload stand for so many, and no more
sub flushed {
    my ($payload, $n) = @_;
    my $z = inflater(15)->{z};
    my $out = '';
    my $most = 0;

    for my $i (1 .. length $payload) {
        my $in = substr $payload, $i - 1, 1;

        $z->inflate($in, $out);
        $most = $i if length $out <= $n;
    }

    return $most;
}

# each is counted as what it is
$mgr->counts('ws_mgr_server_closes_total{cause="protocol', 1, sub {
    my $socket = socket_of($mgr);

    $socket->raw(bytes(raw('06')));
    heard($socket);
});
