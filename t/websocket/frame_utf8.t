#!/usr/bin/perl

# Text is UTF-8, and fails at the first byte that no text could have there:
# while the rest of its frame and of its message is still to come.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
my @lone = ("\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80",
            "\xfc\x80\x80\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf",
            "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf");

my @valid = (
    'hello$world', "hello\xc2\xa2world", "hello\xe2\x82\xacworld",
    "hello\xf0\xa4\xad\xa2world", $kosme,
    "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!",
    (map { substr $kosme, 0, $_ } 2, 5, 7, 9),

    # the first and the last of each length, and the borders of surrogates
    "\x00", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80",
    "\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf",
    "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd",

    # code points that are no characters, and special ones
    (map { "\xef\xbf" . chr } 0xb9 .. 0xbf),
    (map { my $plane = $_;
           map { my $c = chr($plane << 16 | $_); utf8::encode($c); $c }
           0xfffe, 0xffff } 1 .. 16),
);

my @invalid = (
    # what ends before its last character does
    (map { substr $kosme, 0, $_ } 1, 3, 4, 6, 8, 10),

    # five and six bytes, and above U+10FFFF
    "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xf7\xbf\xbf\xbf",
    "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf", "\xf4\x90\x80\x80",
    "$kosme\xf4\x90\x80\x80edited",

    # continuations of nothing
    (map { substr "\x80\xbf" x 3, 0, $_ } 1 .. 6), "\xbf",
    join('', map { chr } 0x80 .. 0xbf),

    # beginnings of nothing
    (map { join '', map { chr . ' ' } @$_ }
     [ 0xc0 .. 0xdf ], [ 0xe0 .. 0xef ], [ 0xf0 .. 0xf7 ], [ 0xf8 .. 0xfb ],
     [ 0xfc, 0xfd ]),
    @lone, join('', @lone),

    # bytes that are in no text
    "\xfe", "\xff", "\xfe\xfe\xff\xff",

    # longer than need be
    "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf",
    "\xfc\x80\x80\x80\x80\xaf",
    "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf",
    "\xfc\x83\xbf\xbf\xbf\xbf",
    "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80",
    "\xfc\x80\x80\x80\x80\x80",

    # surrogates, single and in pairs
    "\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf",
    "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf",
    (map { my $high = $_; map { "$high$_" } "\xed\xb0\x80", "\xed\xbf\xbf" }
     "\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf"),
    "$kosme\xed\xa0\x80edited",
);

sub hex_of { unpack 'H*', $_[0] }

# in one frame, in a fragment for each byte, and in two in all ways
for my $text (@valid) {
    my $hex = hex_of($text);
    my @each = map { more($_, fin => 0) } split //, $text;

    $each[0][0] = 1;

    rows $mgr, (
        [ "valid: $hex", [ text($text) ], text($text) ],
        [ "in fragments: $hex", [ @each, more('') ], text($text) ],
        [ "pinged: $hex", [ (map { ($_, ping('p')) } @each), more('') ],
          (map { pong('p') } @each), text($text) ],
        map { [ "split at $_: $hex", [ text(substr($text, 0, $_), fin => 0),
                                       more(substr $text, $_) ],
                text($text) ] } 1 .. length($text) - 1,
    );
}

for my $bytes (@invalid) {
    my $hex = hex_of($bytes);

    rows $mgr, (
        [ "invalid: $hex", [ text($bytes) ], 1007 ],
        [ "invalid after text: $hex", [ text('fine'), text($bytes) ],
          text('fine'), 1007 ],
        [ "fine as binary: $hex", [ binary($bytes) ], binary($bytes) ],
    );
}

# the state is that of the message: what a frame left open binds the next one
rows $mgr, (
    [ 'two halves that are none', [ text("\xe4", fin => 0), more("\xb8") ],
      1007 ],
    [ 'the end is nothing', [ text("\xce", fin => 0), more('') ], 1007 ],
    [ 'a binary between does not help',
      [ text("\xce", fin => 0), binary('x') ], 1002 ],
    [ 'each message begins anew', [ binary("\xce"), text("\xce\xba"),
                                    binary("\xba"), text('x') ],
      binary("\xce"), text("\xce\xba"), binary("\xba"), text('x') ],
);

# All before the first impossible byte is accepted, and nothing is said of it;
# that byte alone is refused, though the frame has more to come.  How the bytes
# are framed makes no difference.
for my $bytes (@invalid) {
    my $at = impossible_at($bytes) // next;

    for my $way ('in a frame', 'in a fragment', 'behind fragments') {
        my $name = hex_of($bytes) . " fails at byte $at $way";
        my $socket = socket_of($mgr, to => $mgr->unix);
        my $stream = $socket->{stream};
        my $opcode = $way eq 'behind fragments' ? 0 : 1;
        my $payload = $bytes . 'more' x 20;
        my $all = bytes([ $opcode, $payload, fin => $way eq 'in a frame' ]);
        my $fine = length($all) - length($payload) + $at;

        $stream->write(bytes(text("ok \xc3", fin => 0), more("\xa4", fin => 0)))
            if $opcode == 0;
        $stream->write(substr $all, 0, $fine);
        $stream->is_read;

        # the worker has nothing left to do when it has answered this
        $mgr->watched('health');

        ok $stream->silent, "$name, not before";
        $stream->write(substr $all, $fine, 1);
        is_deeply [ heard($socket) ], [ 'close 1007', 'end' ], $name;
        $socket->drop;
    }
}
