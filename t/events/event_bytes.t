#!/usr/bin/perl

# What was posted arrives byte for byte.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');

my @bodies = (
    '{"type":"x","user_id":"ann","n":12345678901234567890123456789}',
    '{"type":"x","user_id":"ann","n":[1.10,1E+2,-0,-0.0,1e-400,0.1e1]}',
    '{"type":"x","user_id":"ann","s":"\u00e9\/\b\f\n\r\t\"\\\\\ud83d\ude00"}',
    "{\"type\":\"x\",\"user_id\":\"ann\",\"s\":\"\xc3\xa9 \xf0\x9f\x98\x80\"}",
    "{\"type\":\"x\",\"user_id\":\"ann\",\"s\":\"\\u0000 \x7f\"}",
    "{ \"type\" : \"x\" ,\t\"user_id\"\r\n:\r\n\"ann\" , \"a\" : [ ] }",
    '{"z":1,"user_id":"ann","a":{"z":{},"a":null},"type":"x","m":true}',
    '{"type":"x","user_id":"ann","data":{"id":1,"seq":2,"ts":3,"user_id":4}}',
    '{"user_id":"ann","type":"x"}',
    '{"type":"x","user_id":"ann","":"empty name","\u0061":"escaped name"}',
    '{"type":"x","user_id":"ann","s":"' . '\\\\' x 5000 . '"}',
    '{"type":"x","user_id":"ann","d":' . '[' x 200 . ']' x 200 . '}',
);

for my $body (@bodies) {
    my $result = $mgr->post($body);
    my $text = $ann->next_text;

    my ($id, $seq, $posted) =
        $text =~ /^\{"id":"([^"]+)","seq":(\d+),"ts":\d{13},(.*)\z/s;

    is "{$posted", $body, 'as posted: ' . substr $body, 0, 50;
    is $id, $result->{id}, 'after its id';
    is $seq, $result->{seq}, 'and seq';
    is $id =~ s/.*-//r, $seq, 'which agree';
}

# white space around the object is not part of it
$mgr->post(" \r\n{\"type\":\"x\",\"user_id\":\"ann\"}\t\n");
like $ann->next_text, qr/,"type":"x","user_id":"ann"\}\z/, 'trimmed';

# what only addresses is cut out, wherever it stands
my %cut = (
    '{"ttl_ms":60000,"type":"x","user_id":"ann","a":1}' =>
        '"type":"x","user_id":"ann","a":1}',
    '{"type":"x","class":"must","user_id":"ann","a":1}' =>
        '"type":"x","user_id":"ann","a":1}',
    '{"type":"x","user_id":"ann","a":1,"audience":"user"}' =>
        '"type":"x","user_id":"ann","a":1}',
    '{"class":"must","ttl_ms":1000000,"type":"x","user_id":"ann","a":1,'
        . '"audience":"user","exclude_users":[]}' =>
        '"type":"x","user_id":"ann","a":1}',
);

for my $body (sort keys %cut) {
    my $answer = $mgr->try_post($body);

    next if $answer->{status} == 422 && $body =~ /exclude/;
    is $answer->{status}, 200, 'accepted';

    my $heard = $ann->event;

    is_deeply [ sort keys %$heard ], [ qw/ a id seq ts type user_id / ],
              'only what is meant for the user';
    like $ann->{raw}, qr/\Q$cut{$body}\E\z/, 'and that unchanged';
}

# a user that only the query names is spliced in
is $mgr->try_post('{"type":"x"}', 'user=ann')->{status}, 200, 'by argument';
like $ann->next_text,
     qr/^\{"id":"[^"]+","seq":\d+,"ts":\d+,"user_id":"ann","type":"x"\}\z/,
     'with the members of the server';
