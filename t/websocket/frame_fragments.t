#!/usr/bin/perl

# Messages in fragments: one message at a time, control frames between.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();

my @five = map { "fragment$_" } 1 .. 5;
my $five = join '', @five;
my $text = random_text(1000);

rows $mgr, (
    [ 'two fragments', [ text('frag', fin => 0), more('ment') ],
      text('fragment') ],
    [ 'two of binary', [ binary("\xff", fin => 0), more("\xfe") ],
      binary("\xff\xfe") ],
    [ 'a ping between', [ fragments(text('fragment'), 4, ping('now')) ],
      pong('now'), text('fragment') ],
    [ 'a pong between', [ fragments(text('fragment'), 4, pong('now')) ],
      text('fragment') ],
    [ 'pings between five',
      [ text($five[0], fin => 0), more($five[1], fin => 0), ping('pongme 1!'),
        more($five[2], fin => 0), more($five[3], fin => 0), ping('pongme 2!'),
        more($five[4]) ],
      pong('pongme 1!'), pong('pongme 2!'), text($five) ],
    [ 'all but the last of nothing',
      [ fragments(text(''), [ '', '', '', '', 'last' ]) ], text('last') ],
    [ 'all of nothing', [ fragments(binary(''), [ ('') x 5 ]) ], binary('') ],
    [ 'the middle of nothing', [ fragments(text(''), [ 'a', '', 'b' ]) ],
      text('ab') ],
    [ 'one fragment for each byte', [ fragments(text($text), 1) ],
      text($text) ],
    [ 'a ping behind each byte of text',
      [ fragments(text('texte en pièces'), 1, ping('!')) ],
      (map { pong('!') } 1 .. length('texte en pièces') - 1),
      text('texte en pièces') ],
    [ 'two messages', [ fragments(text('ab'), 1),
                        fragments(binary('cd'), 1) ],
      text('ab'), binary('cd') ],
    [ 'a whole one between two in fragments',
      [ fragments(text('ab'), 1), text('c'), fragments(text('de'), 1) ],
      text('ab'), text('c'), text('de') ],
);

# what continues nothing
for my $fin (0, 1) {
    my $stray = more('stray', fin => $fin);
    my $name = $fin ? 'final' : 'not final';

    rows $mgr, (
        [ "a continuation of nothing, $name", [ $stray ], 1002 ],
        [ "and a text behind it, $name", [ $stray, text('x') ], 1002 ],
        [ "and fragments behind it, twice, $name",
          [ map { ($stray, fragments(text('ab'), 1)) } 1 .. 2 ], 1002 ],
        [ "a continuation of what has ended, $name",
          [ fragments(text('ab'), 1), $stray, text('x') ],
          text('ab'), 1002 ],
        [ "a continuation after a whole text, $name",
          [ text('a'), $stray ], text('a'), 1002 ],
        [ "a continuation after a ping, $name", [ ping('p'), $stray ],
          pong('p'), 1002 ],
    );
}

# what begins another message before the first has ended
for my $other (text('y'), text('y', fin => 0), binary('y'),
               binary('y', fin => 0), text(''))
{
    rows $mgr, map {
        [ "a second message in the first, $_->[0]",
          [ @{ $_->[1] }, $other, more('z') ], @{ $_->[2] }, 1002 ]
    } [ 'text', [ text('x', fin => 0) ], [] ],
      [ 'binary', [ binary('x', fin => 0) ], [] ],
      [ 'of nothing', [ text('', fin => 0) ], [] ],
      [ 'continued', [ text('x', fin => 0), more('', fin => 0) ], [] ],
      [ 'pinged', [ text('x', fin => 0), ping('p') ], [ pong('p') ] ];
}

# a ping is answered before the message ends
my $socket = socket_of($mgr);

$socket->raw(bytes(text($five[0], fin => 0), ping('now')));
is_deeply [ heard($socket, 1) ], [ "pong 'now'" ], 'at once';
$socket->raw(bytes(more($five[1])));
is_deeply [ heard($socket, 1) ], [ "text 'fragment1fragment2'" ], 'the rest';

# a message that a peer fragments by itself, at 1300 bytes or at any other
for my $size (1, 7, 125, 126, 1300, 4096, 65_535) {
    my $n = $size < 100 ? 5000 : 65_536;
    my $payload = random_text($n);

    rows $mgr, (
        [ "$n in fragments of $size",
          [ fragments(text($payload), $size) ],
          text($payload) ],
        [ "$n in fragments of $size, a ping behind each",
          [ fragments(binary($payload), $size, ping('p')) ],
          (map { pong('p') } 1 .. ($n - 1) / $size), binary($payload) ],
    );
}
