#!/usr/bin/perl

# An event of the size that is allowed, and one byte more.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_event_size 1000;
    ws_mgr_message_size 1k;

    location /ws       { ws_mgr_socket; }
    location /api/     { ws_mgr_api; }
    location /api/big/ { ws_mgr_api; ws_mgr_event_size 2m;
                         client_max_body_size 0; }
CONF

my $ann = $mgr->connect('ann');

my $of_size = sub {
    my $head = '{"type":"x","user_id":"ann","pad":"';

    return $head . 'p' x ($_[0] - length($head) - 2) . '"}';
};

is $mgr->try_post($of_size->(1000))->{status}, 200, 'of the limit';
is length($ann->event->{pad}), length($of_size->(1000)) - 37, 'delivered';

$mgr->counts($mgr->rejection('too_large'), 1, sub {
    $mgr->is_problem($mgr->try_post($of_size->(1001)), 413, 'too_large',
                     'one byte more');
});

# each event of a batch has the limit, not their sum
my $batch = sub { '{"events":[' . join(',', map { $of_size->($_) } @_) . ']}' };
my $answer = $mgr->try_post($batch->((1000) x 20));

is $answer->{json}{accepted}, 20, 'twenty of the limit';
$ann->events(20);

$answer = $mgr->try_post($batch->(900, 1001, 900));
is_deeply [ map { $_->{code} // 'ok' } @{ $answer->{json}{events} } ],
          [ 'ok', 'too_large', 'ok' ], 'one that is too large among others';
$ann->events(2);

# sizes at which the frame's header changes, and large ones
for my $n (125, 126, 127, 250, 65_000, 65_535, 65_536, 70_000, 1_000_000) {
    is $mgr->api(POST => 'big/events', $of_size->($n))->{status}, 200,
       "$n bytes";
    is length($ann->event->{pad}), $n - 37, 'delivered';
}

# a body that says how long it is and is not, and one that does not say
my $lying = $mgr->client;

$lying->send_raw("POST /api/events HTTP/1.1\r\nHost: x\r\n"
                 . "Content-Type: application/json\r\n"
                 . "Content-Length: 99999999999\r\n\r\n{");
is $lying->answer->{status}, 413, 'a great Content-Length is refused at once';

my $text = $of_size->(500);
my $chunked = $mgr->client->post('/api/events',
    join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
             unpack '(a7)*', $text) . "0\r\n\r\n",
    'Transfer-Encoding' => 'chunked');

is $chunked->{status}, 200, 'chunked';
is $ann->event->{type}, 'x', 'delivered';

# a body that comes a byte at a time
my $slow = $mgr->client;

$slow->send_raw("POST /api/events HTTP/1.1\r\nHost: x\r\n"
                . "Content-Type: application/json\r\n"
                . 'Content-Length: ' . length($text) . "\r\n\r\n");
$slow->send_raw($_) for unpack '(a1)*', $text;
is $slow->answer->{status}, 200, 'a byte at a time';
is $ann->event->{type}, 'x', 'delivered';
