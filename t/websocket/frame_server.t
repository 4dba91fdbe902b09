#!/usr/bin/perl

# What the server sends where it is no echo: whole frames, without a mask, with
# the shortest length; and what it reads there, in any form.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log bytes=1m;');
    location /ws   { ws_mgr_socket; ws_mgr_message_rate 10000/s burst=10000;
                     ws_mgr_message_size 1000; }
    location /api/ { ws_mgr_api; }
CONF

# events at the borders of the length field, with a "seq" of two digits
my $ann = $mgr->connect('ann');

$mgr->post({ type => 'x', user_id => 'ann' }) for 1 .. 10;
$ann->events(10);

for my $size (125, 126, 127, 65_535, 65_536, 65_537) {
    my $event = { type => 'x', user_id => 'ann', pad => '' };

    # once more, when one knows how much the server adds
    for my $wanted (undef, $size) {
        $mgr->post($event);

        my $stream = $ann->{stream};
        my $head = $stream->take(2, now() + patience());
        my $length = ord substr $head, 1;

        is ord $head, 0x81, 'a whole text frame';

        if ($length >= 126) {
            my $wide = $length == 126 ? 2 : 8;
            my $more = $stream->take($wide, now() + patience());

            $length = unpack $wide == 2 ? 'n' : 'Q>', $more;
            cmp_ok $length, '>', $wide == 2 ? 125 : 65_535, 'is the shortest';
        }

        my $text = $stream->take($length, now() + patience());

        is decode($text)->{pad}, $event->{pad}, "$length bytes";
        is $length, $wanted, 'as wanted' if $wanted;
        $event->{pad} = 'x' x ($size - $length);
    }
}

# a JSON message in any form of frames
my $ping = '{"type":"ping","ts":"é中😀"}';

for ([ text($ping) ],
     [ text(substr($ping, 0, 19), fin => 0), more(substr $ping, 19) ],
     [ text('', fin => 0), (map { more($_, fin => 0) } split //, $ping),
       more('') ],
     [ text($ping, mask => "\0\0\0\0") ],
     [ text($ping . ' ' x (1000 - length $ping)) ])
{
    for my $bytes ([ bytes(@$_) ], [ split //, bytes(@$_) ]) {
        my $eve = $mgr->connect('eve');

        in_pieces($eve, 0, @$bytes);
        $eve->event;
        like $eve->{raw}, qr/"echo":"é中😀"/, 'read';
        $eve->close(1000);
    }
}

# the limit is that of the location
$ann->raw(bytes(text('x' x 600, fin => 0), more('x' x 401)));
is $ann->closed, 1009, 'more than the limit in fragments';
