#!/usr/bin/perl

# Frames as RFC 6455 has them, in any pieces.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::WsMgr;

use utf8;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_message_rate 10000/s burst=10000;
                     ws_mgr_message_size 1000; }
    location /api/ { ws_mgr_api; }
CONF

my $frame = \&Test::WsMgr::WebSocket::build_frame;
my $ping = '{"type":"ping","ts":"é中😀"}';

utf8::encode($ping);

# whole, in fragments, with control frames between, with longer lengths
my %good = (
    'one frame'     => $frame->(1, $ping),
    'two fragments' => $frame->(1, substr($ping, 0, 5), fin => 0)
                       . $frame->(0, substr $ping, 5),
    'a fragment for each byte'
                    => $frame->(1, '', fin => 0)
                       . join('', map { $frame->(0, $_, fin => 0) }
                              unpack '(a1)*', $ping)
                       . $frame->(0, ''),
    'a ping between' => $frame->(1, substr($ping, 0, 5), fin => 0)
                       . $frame->(9, 'between') . $frame->(10, 'unasked')
                       . $frame->(0, substr $ping, 5),
    'a mask of zero' => $frame->(1, $ping, mask => "\0\0\0\0"),
    '126 bytes'     => $frame->(1, $ping . ' ' x (126 - length $ping)),
    'of the limit'  => $frame->(1, $ping . ' ' x (1000 - length $ping)),
);

for my $name (sort keys %good) {
    for my $size (100_000, 1, 7) {
        my $ann = $mgr->connect('ann');

        $ann->raw_split($good{$name}, $size);

        my $pong = $ann->event;

        is $pong->{type}, 'pong', "$name, $size byte(s) at a time";
        is $pong->{echo}, 'é中😀', 'its text';
        is_deeply $ann->{pongs}, [ 'between' ], 'and the answer to the ping'
            if $name =~ /between/;
        is $ann->close(1000), 1000, 'goodbye';
        ok $ann->ended, 'the server closes';
    }
}

# what breaks the rules, and the code it is closed with
my @bad = (
    [ 1002, 'not masked', $frame->(1, $ping, mask => 0) ],
    [ 1002, 'RSV1', $frame->(1, $ping, rsv => 4) ],
    [ 1002, 'RSV3', $frame->(1, $ping, rsv => 1) ],
    [ 1002, 'opcode 3', $frame->(3, '') ],
    [ 1002, 'opcode 11', $frame->(11, '') ],
    [ 1002, 'a continuation of nothing', $frame->(0, 'x') ],
    [ 1002, 'text within a message', $frame->(1, 'x', fin => 0)
                                     . $frame->(1, 'y') ],
    [ 1002, 'a ping in fragments', $frame->(9, 'x', fin => 0) ],
    [ 1002, 'a ping of 126 bytes', $frame->(9, 'x' x 126) ],
    [ 1002, 'a length longer than need be', $frame->(1, 'x', length => 2) ],
    [ 1002, 'a length far longer than need be',
      $frame->(1, 'x' x 200, length => 8) ],
    [ 1002, 'a length of 2^63', "\x81\xff\x80" . "\0" x 7 . 'mask' ],
    [ 1002, 'a close of one byte', $frame->(8, 'x') ],
    (map { [ 1002, "close code $_", $frame->(8, pack 'n', $_) ] }
     0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535),
    [ 1007, 'a close reason that is no UTF-8',
      $frame->(8, "\x03\xe8\xff") ],
    (map { [ 1007, 'no UTF-8: ' . unpack('H*', $_), $frame->(1, $_) ] }
     "\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
     "\xe4\xb8", "a\x80"),
    [ 1007, 'no UTF-8 over fragments', $frame->(1, "\xe4", fin => 0)
                                       . $frame->(0, "\xb8") ],
    [ 1007, 'no UTF-8, before the message ends',
      $frame->(1, "\xce\xba\xed\xa0", fin => 0) ],
    [ 1009, 'one more than the limit', $frame->(1, 'x' x 1001) ],
    [ 1009, 'more than the limit in fragments',
      $frame->(1, 'x' x 600, fin => 0) . $frame->(0, 'x' x 401) ],
    [ 1009, 'a length of 2^62', "\x81\xff\x40" . "\0" x 7 . 'mask' ],
);

for (@bad) {
    my ($code, $name, $bytes) = @$_;

    for my $size (100_000, 1) {
        my $ann = $mgr->connect('ann');

        $ann->raw_split($bytes, $size);
        is $ann->closed, $code, "$code: $name, $size byte(s) at a time";
        ok $ann->ended, 'ended';
    }
}

is $mgr->counter('ws_mgr_server_closes_total{cause="message_too_big"}'), 6,
   'those too big are counted';

# goodbyes
my @closes = ([ 1000, 'bye' ], [ 1001 ], [ 3000 ], [ 4999, 'own' ],
              [ 1000, 'x' x 123 ]);

for (@closes) {
    my $ann = $mgr->connect('ann');

    is $ann->close(@$_), $_->[0], "$_->[0] is echoed";
    ok $ann->ended, 'the server closes first';
}

my $ann = $mgr->connect('ann');

is $ann->close, 1005, 'an empty close is answered by one';

# what follows the goodbye is not read
$ann = $mgr->connect('ann');
$ann->raw($frame->(8, pack 'n', 1000) . $frame->(1, $ping));
is $ann->closed, 1000, 'closed';
is $ann->message, undef, 'nothing more is answered';

# frames that came with the request are not lost
$ann = $mgr->upgrade(ticket => $mgr->ticket('ann'),
                     early => $frame->(1, $ping) . $frame->(9, 'early'));
is $ann->event->{type}, 'connection_established', 'the welcome is first';
is $ann->event->{type}, 'pong', 'what came early is answered';
eventually { $ann->message(0.01); @{ $ann->{pongs} } } 'all of it';

# each frame of ours is plain
$mgr->post({ type => 'x', user_id => 'ann' });
my $seen = $ann->next_frame;
is_deeply [ @$seen{qw/ fin rsv opcode masked /} ], [ 1, 0, 1, 0 ],
          'a whole text frame, not masked';
