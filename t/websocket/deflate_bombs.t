#!/usr/bin/perl

# What becomes larger than a message may be ends in 1009, as soon as that much
# has come out, and takes no memory to speak of.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing(extensions => 'permessage-deflate');
my $small = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_message_size 64k;
                     ws_mgr_message_rate 10000/s burst=10000; }
    location /api/ { ws_mgr_api; }
CONF
my ($worker) = $small->workers;
my $MB = 1 << 20;

sub memory { $small->memory($worker, 'VmHWM') }

my $payload = '{"type":"ping","ts":"' . '0' x 65_513 . '"}';
my $fits = deflated(text($payload));
my $bomb = deflated(text('0' x (64 * $MB)), level => 9);
my $wide = deflated(text('0' x (2 * $MB)), level => 0);
my $empty = [ 1, "\x00\x00\x00\xff\xff" x 20_000 . "\x00", rsv => 4 ];

note length($bomb->[1]) . ' bytes become 64 MB';
is length $payload, 65_536, 'of the limit';

my $connect = sub { my $eve = $small->connect('eve', @_,
                                 extensions => 'permessage-deflate');
                    ok $eve->{window}, 'agreed';
                    return $eve };

my $eve = $connect->();
$eve->raw(bytes($fits));
is $eve->event->{type}, 'pong', 'a message of the limit';
$eve->raw(bytes(fragments($fits, 5)));
is $eve->event->{type}, 'pong', 'in fragments';
$eve->raw(bytes(deflated(text("$payload ")), text('x')));
is $eve->closed, 1009, 'one byte more';

my $start = memory();

my @rows = (
    [ 'a bomb', $bomb ],
    [ 'in fragments', fragments($bomb, 99) ],
    [ 'by pings', fragments($bomb, 999, ping('tick')) ],
    [ 'as it is', $wide ],
    [ 'blocks of nothing, more than any message needs', $empty ],
    [ 'the same, in fragments', fragments($empty, 4000) ],
);

for (@rows) {
    my ($name, @sent) = @$_;

    $eve = $connect->();
    $eve->raw(bytes(@sent));
    is $eve->closed, 1009, $name;
    ok $eve->ended && !$eve->{stream}{reset}, 'and ended well';
    $eve->drop;
}

# many at once, each of which has begun and goes on
my @eves = map { $connect->(path => '/ws') } 1 .. 9;
my $frame = bytes($bomb);

for my $piece (unpack '(a3000)*', substr $frame, 0, 30_000) {
    $_->{stream}->write_some($piece) for @eves;
}

is $_->closed, 1009, 'each of many' for @eves;

takes_less memory() - $start, 2048, 'kB at most for all of them';
is $small->counter('ws_mgr_server_closes_total{cause="message_too_big"}'),
   1 + @rows + @eves, 'all are counted';

# the end comes while the frame has more to come
$eve = $connect->();
$eve->raw(substr $frame, 0, 200);
is $eve->closed, 1009, '200 bytes of the bomb are enough';

# larger limits: the size of what comes out is what counts
my $sixteen = binary('x' x (16 * $MB));
my $over = binary('x' x (16 * $MB + 1));

rows $mgr, (
    [ '16 MB', [ deflated($sixteen) ], $sixteen ],
    [ '16 MB that do not become smaller', [ deflated($sixteen, level => 0) ],
      $sixteen ],
    [ 'one more', [ deflated($over) ], 1009 ],
    [ 'one more, in fragments', [ fragments(deflated($over), 1000) ], 1009 ],
);
