#!/usr/bin/perl

# Frames that come with the request, or right behind it, are the first that
# the session reads: none is lost, and they are read like any others.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing(tls => 1);
my $text = random_text(700);
my $large = binary(random_bytes(300_000));

my @rows = (
    [ 'a text', bytes(text($text)), Test::WsMgr::Frames::name(text($text)) ],
    [ 'a text and a ping', bytes(text('first'), ping('second')),
      "text 'first'", "pong 'second'" ],
    [ 'a large one', bytes($large), Test::WsMgr::Frames::name($large) ],
    [ 'a goodbye behind', bytes(text('x'), bye(1001)), "text 'x'",
      'close 1001', 'end' ],
    [ 'a fault', bytes(text('x'), text('y', rsv => 1)), "text 'x'",
      'close 1002', 'end' ],
    [ 'no text', bytes(text("\xff")), 'close 1007', 'end' ],
);

for my $tls (0, 1) {
    for (@rows) {
        my ($name, $bytes, @wanted) = @$_;

        $name .= ', over TLS' if $tls;

        my $socket = socket_of($mgr, early => $bytes, tls => $tls);

        is_deeply [ heard($socket, scalar @wanted) ], \@wanted, $name;
        $socket->drop;

        # a part of it with the request, the rest behind the answer
        my $part = int rand length $bytes;

        $socket = socket_of($mgr, early => substr($bytes, 0, $part),
                            tls => $tls);
        $socket->raw(substr $bytes, $part);
        is_deeply [ heard($socket, scalar @wanted) ], \@wanted,
                  "$name, $part bytes of it";
        $socket->drop;
    }
}
