package Test::WsMgr::Deflate;

# permessage-deflate as a client has it (RFC 7692, section 7.2), on zlib.

use strict;
use warnings;

use Carp qw/ croak /;
use Compress::Raw::Zlib;
use Exporter qw/ import /;

our @EXPORT_OK = qw/ deflate inflate inflater /;

# what a sync flush ends with, which is not sent
use constant TAIL => "\x00\x00\xff\xff";

# The payload of a message.  Options: level, strategy, bits and memory as of
# zlib; final: the last block says that it is; at: a list of offsets at which
# the stream is flushed, too.
sub deflate {
    my ($bytes, %how) = @_;
    my ($z, $status) = Compress::Raw::Zlib::Deflate->new(
        -WindowBits   => -($how{bits} // 15),
        -Level        => $how{level} // 6,
        -Strategy     => $how{strategy} // Z_DEFAULT_STRATEGY,
        -MemLevel     => $how{memory} // 8,
        -AppendOutput => 1,
    );

    croak "deflate: $status" if !$z;

    my $out = '';
    my $from = 0;

    for my $at (@{ $how{at} || [] }) {
        $z->deflate(substr($bytes, $from, $at - $from), $out) == Z_OK
            && $z->flush($out, Z_SYNC_FLUSH) == Z_OK || croak 'deflate';
        $from = $at;
    }

    $z->deflate(substr($bytes, $from), $out) == Z_OK
        && $z->flush($out, $how{final} ? Z_FINISH : Z_SYNC_FLUSH) == Z_OK
        || croak 'deflate';

    # an empty stored block behind the last one, without its own tail
    return "$out\x00" if $how{final};

    croak 'no tail' if substr($out, -4, 4, '') ne TAIL;

    return $out;
}

# for messages whose window has so many bits
sub inflater {
    my ($bits) = @_;
    my ($z, $status) = Compress::Raw::Zlib::Inflate->new(
        -WindowBits   => -$bits,
        -AppendOutput => 1,
        -ConsumeInput => 1,
    );

    return { z => $z || croak("inflate: $status"), bits => $bits };
}

# What a payload stands for, or undef; the inflater is one of those above.  zlib
# looks back no further than its window and what the same call has put out:
# where the window is not the largest, a call gets little to put out.
sub inflate {
    my ($inflater, $payload) = @_;
    my $in = $payload . TAIL;
    my $z = $inflater->{z};
    my $step = $inflater->{bits} == 15 ? length $in
               : length $in < 10_000 ? 1 : 64;
    my $out = '';

    for my $piece (unpack "(a$step)*", $in) {
        while (length $piece) {
            my $status = $z->inflate($piece, $out);

            $z->inflateReset if $status == Z_STREAM_END;
            last if $status == Z_BUF_ERROR;
            return if $status != Z_OK && $status != Z_STREAM_END;
        }
    }

    return $out;
}

1;
