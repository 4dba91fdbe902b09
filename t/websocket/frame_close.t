#!/usr/bin/perl

# The close handshake: what may be said in it, what it is answered, and that
# nothing counts any more behind it.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

# codes that an endpoint may send
rows $mgr, map { [ "code $_", [ bye($_) ], $_ ] }
           1000 .. 1003, 1007 .. 1014, 3000, 3999, 4000, 4999;

# and those that it may not
rows $mgr, map { [ "code $_", [ bye($_) ], 1002 ] }
           0, 1, 999, 1004 .. 1006, 1015, 1016, 1100, 2000, 2999, 5000,
           32_768, 65_535;

rows $mgr, (
    [ 'nothing', [ bye() ], 1005 ],
    [ 'one byte', [ reserved(8, "\x03") ], 1002 ],
    [ 'a reason', [ bye(1000, 'Hello World!') ], 1000 ],
    [ 'a reason of 123 bytes', [ bye(1000, '*' x 123) ], 1000 ],
    [ 'a reason of 124 bytes', [ bye(1000, '*' x 124) ], 1002 ],
    [ 'a reason in Greek', [ bye(4000, $kosme) ], 4000 ],
    [ 'a reason that is no text', [ bye(1000, "$kosme\xed\xa0\x80edited") ],
      1007 ],
    [ 'a reason that ends too soon', [ bye(1000, substr $kosme, 0, 1) ],
      1007 ],
    [ 'a bad reason of a bad code', [ bye(999, "\xff") ], 1002 ],

    # a text before it is answered, what is behind it is not
    [ 'after a text', [ text('Hello'), bye(1000) ], text('Hello'), 1000 ],
    [ 'two of them', [ bye(1000), bye(1001) ], 1000 ],
    [ 'a text behind', [ bye(1000), text('late') ], 1000 ],
    [ 'a ping behind', [ bye(1000), ping('late') ], 1000 ],
    [ 'a fault behind', [ bye(1000), text('late', rsv => 7) ], 1000 ],
    [ 'noise behind', [ bye(1000), random_bytes(3000) ], 1000 ],
    [ 'within a message', [ text('frag', fin => 0), bye(1000), more('ment') ],
      1000 ],
    [ 'a large text before, a text and a ping behind',
      [ text('BAsd7&jh23' x 26_214), text('Hello World!'), bye(1000),
        ping() ],
      text('BAsd7&jh23' x 26_214), text('Hello World!'), 1000 ],
    [ 'after a fault', [ text("\xff"), bye(1000) ], 1007 ],
);

# each close frame is a whole one with nothing but a code, or with ASCII
for my $sent (bye(1000, 'reason'), bye(), text("\xff"), ping('x', fin => 0)) {
    my $socket = socket_of($mgr);

    $socket->raw(bytes($sent));

    my $frame = $socket->next_frame;

    is_deeply [ @$frame{qw/ fin rsv opcode masked /} ], [ 1, 0, 8, 0 ],
              'a plain close frame';
    like substr($frame->{payload}, 2) // '', qr/^[ -~]{0,123}$/, 'in ASCII'
        if length $frame->{payload};
}

# both at once: the server has said goodbye, and the client's own is its answer
my $both = socket_of($mgr);
my ($id) = map { $_->{connection_id} } $mgr->connections_of('ann');

is $mgr->api(DELETE => "connections/$id")->{status}, 200, 'disconnected';
$both->raw(bytes(text('crossing'), bye(1000), text('late')));
is_deeply [ heard($both) ], [ 'close 4005', 'end' ], 'one close frame';

# a server that has said goodbye answers nothing, whatever comes but a close
$both = socket_of($mgr);
($id) = map { $_->{connection_id} } $mgr->connections_of('ann');
$mgr->api(DELETE => "connections/$id");
$both->raw(bytes(text('x'), ping('y'), binary('z', rsv => 3)));
is_deeply [ heard($both) ], [ 'close 4005', 'end' ],
          'a fault ends the wait for the answer';

# the server ends TCP at once, not when it has waited for the client to do so
my $quickest = 9;

for (1 .. 5) {
    my $socket = socket_of($mgr);
    my $start = now();

    $socket->raw(bytes(bye(1000)));
    heard($socket);
    $quickest = now() - $start if now() - $start < $quickest;
    $socket->drop;
}

cmp_ok $quickest, '<', 1, sprintf 'ended in %.3f s', $quickest;

# the counters know whose doing it was
for (['client', bye(1000), 1], ['server', text("\xff"), 1]) {
    my ($side, $sent) = @$_;

    $mgr->counts("ws_mgr_closes_total{side=\"$side\"}", 1, sub {
        my $socket = socket_of($mgr);

        $socket->raw(bytes($sent));
        heard($socket);
    });
}
