#!/usr/bin/perl

# What is no JSON is told where it is none, and the worker lives.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_event_size 512k;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ok = '"type":"x","user_id":"ann"';
my $ann = $mgr->connect('ann');

# the text, line and column of the fault where they are certain
my @bad = (
    [ '' ], [ ' ' ], [ '{' ], [ '{"' ], [ "{$ok" ], [ "\0" ],
    [ "\xff\xfe\x00", 1, 1 ],
    [ 'hello', 1, 1 ],
    [ "{$ok,}" ], [ "{$ok,,\"a\":1}" ], [ "{$ok \"a\":1}" ],
    [ "{\n\"type\":\"x\",\n\"user_id\":\"ann\",\n  \"a\":oops}", 4, 7 ],
    [ "{$ok}x" ], [ "{$ok}{$ok}" ], [ "{$ok}\0" ],
    [ "\xef\xbb\xbf{$ok}", 1, 1 ],
    (map { [ "{$ok,\"a\":$_}" ] }
        'nul', 'True', 'NaN', 'Infinity', '+1', '01', '1.', '.5', '1e',
        '0x10', '--1', "'x'", '"', '"\x"', '"\u12"', '"\u12g4"', "\"\n\"",
        "\"\x01\"", "\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"",
        '"\ud800"', '"\udc00"', '"\ud800\u0041"', '"\ud800x"', '[1,]',
        '[1 2]', '{1:2}', '{"b"}', '{"b":}', '[}', '{]', '/* c */ 1'),
    [ "{$ok,\"type\":\"y\"}" ],
    [ "{$ok,\"a\":1,\"a\":1}" ],
    [ "{$ok,\"a\":{\"b\":1,\"b\":2}}" ],
    [ "{$ok,\"a\":1,\"\\u0061\":1}" ],
    [ "{$ok,\"a\":" . '[' x 10_000 . ']' x 10_000 . '}' ],
    [ '[' x 10_000 ],
    [ "{$ok,\"a\":" . '{"a":' x 10_000 . '1' . '}' x 10_000 . '}' ],
);

for (@bad) {
    my ($body, $line, $column) = @$_;
    my $name = substr $body =~ s/[^ -~]/?/gr, 0, 60;

    $mgr->counts($mgr->rejection('invalid_json'), 1, sub {
        my $answer = $mgr->try_post($body);
        my $problem = $answer->{json} || {};

        $mgr->is_problem($answer, 400, 'invalid_json', $name);
        ok $body eq '' || $problem->{line} && $problem->{column}, 'says where'
            or diag $answer->{body};
        is "$problem->{line}:$problem->{column}", "$line:$column", 'there'
            if $line;
    });
}

my @good = ("{$ok,\"a\":" . '[' x 200 . ']' x 200 . '}',
            "{$ok,\"a\":{\"b\":1,\"c\":{\"b\":2}}}");

for my $body (@good) {
    is $mgr->try_post($body)->{status}, 200, 'and this is JSON';
    is $ann->event->{type}, 'x', 'delivered';
}
