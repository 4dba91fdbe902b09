#!/usr/bin/perl

# The codes of error frames, what they refer to, and forgiveness.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_message_rate 1000/s burst=1000; }
    location /api/ { ws_mgr_api events broadcast; }
    location /all/ { ws_mgr_api; }
CONF

# the harness asks /api/, which has no tickets here
sub ticket_of {
    my ($user) = @_;
    my $answer = $mgr->client->request('POST', '/all/tickets',
                                       encode({ user_id => $user }));

    return $mgr->remember($answer->{json}{ticket_id});
}

my $ann = $mgr->upgrade(ticket => ticket_of('ann'));
$ann->event;

my $first = $mgr->post({ type => 'x', user_id => 'ann', event_id => 'e1' });
my $everyone = $mgr->post({ type => 'x', user_id => '*' });
$ann->events(2);

my ($epoch) = $first->{id} =~ /^(\w+)-/;

# the message, and the code it is answered with; none: it is accepted
my @table = (
    [ '{"type":"event_confirmation","event_id":"e1","status":"confirmed"}' ],
    [ '{"type":"event_confirmation","event_id":"e1"}' ],
    [ "{\"type\":\"event_confirmation\",\"id\":\"$first->{id}\"}" ],
    [ "{\"type\":\"event_confirmation\",\"id\":\"$everyone->{id}\"}" ],
    [ '{"type":"event_confirmation","event_id":"e2"}', 'unknown_event' ],
    [ "{\"type\":\"event_confirmation\",\"id\":\"$epoch-2\"}",
      'unknown_event' ],
    [ '{"type":"event_confirmation","id":"other-1"}', 'unknown_event' ],
    [ "{\"type\":\"event_confirmation\",\"id\":\"$epoch-b9\"}",
      'unknown_event' ],
    [ '{"type":"event_confirmation","event_id":7}', 'invalid_message' ],
    [ '{"type":"event_confirmation","event_id":"e1","status":"no"}',
      'invalid_message' ],
    [ '{"type":"ack","seq":0}' ],
    [ '{"type":"ack","seq":1}' ],
    [ '{"type":"ack","seq":2}', 'unknown_event' ],
    [ '{"type":"ack","seq":1.0}', 'invalid_message' ],
    [ '{"type":"session_restore","position":"x-1"}', 'restore_late' ],
    [ '{"type":"thread_switched","thread_id":"t"}' ],
    [ '{"type":"thread_switched","thread_id":null}' ],
    [ '{"type":"thread_switched"}', 'invalid_message' ],
    [ '{"type":"thread_switched","thread_id":true}', 'invalid_message' ],
    [ '{"t\\u0079pe":"ack","seq":1}' ],
    [ '{"type":"a\\u0063k","seq":1}' ],
    [ ' { "type" : "ack" , "seq" : 1 } ' ],
    [ '{"type":"ack","seq":1} x', 'invalid_message' ],
    [ '{"type":"chat"}', 'no_forward' ],
);

for (@table) {
    my ($text, $code) = @$_;

    $ann->text($text);
    $ann->text('{"type":"ping"}');

    my $answer = $ann->event;

    is $answer->{code} // 'none', $code // 'none', $text;
    $answer = $ann->event if $code;
    is $answer->{type}, 'pong', 'and goes on';
}

# the message, and the ref of its error
my @refs = (
    [ '{"type":"chat","ref":"r","event_id":"e"}', '"r"' ],
    [ '{"event_id":"e","type":"chat"}', '"e"' ],
    [ '{"type":"chat","ref":7}', '"chat"' ],
    [ '{"type":"chat","ref":"a\\"\\u00e4\\n"}', '"a\\"\\u00e4\\n"' ],
    [ '{"type":"chat","ref":"' . 'x' x 300 . '"}', '"chat"' ],
    [ '{"type":"' . 'x' x 300 . '"}', 'null' ],
    [ '{"ref":"r"}', '"r"' ],
    [ '{"ref":"r",', '"r"' ],
    [ 'nonsense', 'null' ],
);

for (@refs) {
    my ($text, $ref) = @$_;

    $ann->text($text);
    $ann->event;
    like $ann->{raw}, qr/"ref":\Q$ref\E\}$/, "ref of " . substr $text, 0, 50;
    $ann->text('{"type":"ping"}');
    $ann->event;
}

# who does well in between is not sent away
for (1 .. 40) {
    $ann->text('nonsense');
    $ann->text('{"type":"ping"}');
}

is scalar($ann->events(80)), 80, 'forty were forgiven';

# the thirty-second in a row is one too many
$ann->text('nonsense') for 1 .. 31;
is $_->{type}, 'error', 'not yet' for $ann->events(31);
$ann->text('nonsense');
is $ann->event->{type}, 'error', 'told';
is $ann->closed, 4508, 'and closed';
