#!/usr/bin/perl

# Messages of all sizes and kinds, one after the other, for all that may be
# agreed on: each comes back as it was, by an inflater of the agreed window.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $count = $ENV{WS_MGR_FULL} ? 1000 : 1;

# size, bytes of a fragment
my @sizes = (
    (map { [ $_ ] } 16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536,
     131_072),
    (map { [ $_, 256 ] } 8192, 16_384, 32_768, 65_536, 131_072),
    (map { [ 131_072, $_ ] } 1024, 4096, 32_768),
);

my $ext = 'permessage-deflate';
my @offers = (
    $ext,
    "$ext; server_no_context_takeover",
    "$ext; server_max_window_bits=8",
    "$ext; server_max_window_bits=15",
    "$ext; server_no_context_takeover; server_max_window_bits=8",
    "$ext; server_no_context_takeover; server_max_window_bits=15",
    "$ext; server_no_context_takeover; server_max_window_bits=8, "
        . "$ext; server_no_context_takeover, $ext",
    (map { "$ext; client_max_window_bits; server_max_window_bits=$_" }
     9 .. 14),
);

# half a megabyte of each: prose, an image, a document, JSON, a page
my @words = map { join '', map { chr 97 + rand 26 } 0 .. rand 9 } 1 .. 2000;
my $prose = sub { join ' ', map { $words[rand() ** 3 * @words] } 1 .. $_[0] };
my $row = random_bytes(512);
my %data = (
    prose    => [ 1, $prose->(100_000) ],
    image    => [ 2, join '', map { substr $row, rand 12, 500 } 1 .. 1100 ],
    document => [ 2, join '', map { ($prose->(900), random_bytes(5000)) }
                              1 .. 50 ],
    json     => [ 1, encode([ map { { id => $_, name => $words[rand @words],
                                      score => rand(), tags => [ 1 .. rand 9 ] }
                                  } 1 .. 7000 ]) ],
    page     => [ 1, join "\n", map { "<p class=\"row\">é中😀 $_ "
                                      . $prose->(9) . '</p>' } 1 .. 6000 ],
);

utf8::encode($data{page}[1]) if utf8::is_utf8($data{page}[1]);

# a piece of it that is text where the whole is
sub piece {
    my ($data, $size) = @_;
    my ($opcode, $all) = @$data;
    my $piece = substr $all, rand(length($all) - $size), $size;

    if ($opcode == 1) {
        $piece =~ s/^[\x80-\xbf]+|[\xc0-\xff][\x80-\xbf]*$//g;
        $piece .= '.' x ($size - length $piece);
    }

    return [ $opcode, $piece ];
}

for my $offer (@offers) {
    my ($sent, $good, $saved) = (0, 0, 0);

    for my $kind (sort keys %data) {
        my $socket = socket_of($mgr, extensions => $offer);

        for my $size (@sizes) {
            for (1 .. $count) {
                my $message = piece($data{$kind}, $size->[0]);
                my $frame = deflated($message);

                $socket->raw(bytes($size->[1] ? fragments($frame, $size->[1])
                                              : $frame));
                $sent++;

                my $echo = $socket->message // last;

                $good += $echo->{opcode} == $message->[0]
                         && $echo->{payload} eq $message->[1];
                $saved += length($echo->{payload})
                          - length($echo->{deflated} // $echo->{payload});
            }
        }

        is $socket->close(1000), 1000, "$kind, $offer";
    }

    is $good, $sent, "each of $sent came back";
    cmp_ok $saved, '>', 0, "$saved bytes were saved";
}
