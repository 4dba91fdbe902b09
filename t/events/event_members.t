#!/usr/bin/perl

# What an event must have, may have, and must not have.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

use utf8;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my $ok = '"type":"x","user_id":"ann"';

# the text, and the member at fault
my @wrong = (
    [ '{"user_id":"ann"}', 'type' ],
    [ '{"type":"","user_id":"ann"}', 'type' ],
    [ '{"type":1,"user_id":"ann"}', 'type' ],
    [ '{"type":null,"user_id":"ann"}', 'type' ],
    [ '{"type":"a b","user_id":"ann"}', 'type' ],
    [ '{"type":"ä","user_id":"ann"}', 'type' ],
    [ '{"type":"' . 'x' x 65 . '","user_id":"ann"}', 'type' ],
    [ '{"type":"x"}', 'user_id' ],
    [ '{"type":"x","user_id":1}', 'user_id' ],
    [ '{"type":"x","user_id":null}', 'user_id' ],
    [ '{"type":"x","user_id":""}', 'user_id' ],
    [ '{"type":"x","user_id":["ann"]}', 'user_id' ],
    [ "{$ok,\"id\":\"1-1\"}", 'id' ],
    [ "{$ok,\"seq\":1}", 'seq' ],
    [ "{$ok,\"ts\":null}", 'ts' ],
    [ "{\"ts\":1,$ok}", 'ts' ],
    [ "{$ok,\"thread_id\":1}", 'thread_id' ],
    [ "{$ok,\"run_id\":{}}", 'run_id' ],
    [ "{$ok,\"class\":\"maybe\"}", 'class' ],
    [ "{$ok,\"class\":1}", 'class' ],
    [ "{$ok,\"audience\":true}", 'audience' ],
    [ "{$ok,\"\\u0073eq\":1}", 'seq' ],
    [ '{"typ\u0065":"x","user_id":"ann"}', 'type' ],
    [ '{"type":"x","user\u005fid":"ann"}', 'user_id' ],
);

for (@wrong) {
    my ($body, $member) = @$_;

    utf8::encode($body);

    $mgr->counts($mgr->rejection('invalid_event'), 1, sub {
        my $answer = $mgr->try_post($body);

        $mgr->is_problem($answer, 422, 'invalid_event', $body);
        is $answer->{json}{member}, $member, "at fault: $member";
    });
}

for my $body ('[]', '"text"', '7', 'null', '[{"type":"x"}]') {
    is $mgr->try_post($body)->{status}, 422, "no object: $body";
}

for my $type ('x', 'x' x 64, 'A-z_0.9:b') {
    is $mgr->try_post({ type => $type, user_id => 'ann' })->{status}, 200,
       "type $type";
    is $ann->event->{type}, $type, 'delivered';
}

# the user as an argument
my $post = sub { $mgr->try_post('{"type":"x"' . ($_[1] // '') . '}', $_[0]) };

is $post->('user=ann')->{status}, 200, 'a user as an argument';
is $post->('user=ann', ',"user_id":"ann"')->{status}, 200, 'which agrees';
is $post->('user=%61n%6E', ',"user_id":"ann"')->{status}, 200, 'encoded';
$mgr->is_problem($post->('user=bob', ',"user_id":"ann"'), 422,
                 'invalid_event', 'which does not agree');
$mgr->is_problem($post->('user='), 422, 'invalid_event', 'which is empty');
$mgr->is_problem($post->('user=%00'), 422, 'invalid_event', 'which is none');

$ann->events(3);
$mgr->post({ type => 'fence', user_id => 'ann' });
is $ann->event->{type}, 'fence', 'nothing of the refused ones';
