#!/usr/bin/perl

# One object, a batch, lines: each event has its own answer.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my $bob = $mgr->connect('bob');
my $good = sub { { type => 'n', user_id => $_[0], n => $_[1] } };

my $answer = $mgr->try_post($good->('ann', 0));

is $answer->{status}, 200, 'one object';
is_deeply { %{ $answer->{json} }, events => undef },
          { accepted => 1, rejected => 0, events => undef }, 'one accepted';
is $ann->event->{n}, 0, 'delivered';

my @mixed = ($good->('ann', 1), { user_id => 'ann' }, $good->('bob', 2),
             { type => 'n' }, $good->('ann', 3), 'text',
             { type => 'n', user_id => 'null' }, $good->('bob', 4));

my %form = (
    batch  => [ encode({ events => \@mixed }) ],
    lines  => [ join("\n", map { encode($_) } @mixed) . "\n",
                'Content-Type' => 'application/x-ndjson' ],
    'lines without the last newline'
           => [ join("\r\n", map { encode($_) } @mixed),
                'Content-Type' => 'application/x-ndjson; charset=utf-8' ],
);

for my $name (sort keys %form) {
    my ($body, @headers) = @{ $form{$name} };
    my $answer = $mgr->try_post($body, undef, @headers);
    my @results = @{ $answer->{json}{events} || [] };

    is $answer->{status}, 200, $name;
    is $answer->{json}{accepted}, 4, 'four accepted';
    is $answer->{json}{rejected}, 4, 'four rejected';
    is scalar(@results), 8, 'eight answers';
    is_deeply [ map { defined $_->{seq} ? 1 : 0 } @results ],
              [ 1, 0, 1, 0, 1, 0, 0, 1 ], 'in order';
    is_deeply [ map { $_->{code} } @results[ 1, 3, 6 ] ],
              [ 'invalid_event', 'invalid_event', 'placeholder_id' ],
              'each says why';
    is_deeply [ map { $_->{n} } $ann->events(2) ], [ 1, 3 ], 'ann, in order';
    is_deeply [ map { $_->{n} } $bob->events(2) ], [ 2, 4 ], 'bob, in order';
}

# a line that is no JSON stops only itself
$answer = $mgr->try_post(encode($good->('ann', 5)) . "\n{oops\n\n"
                         . encode($good->('ann', 6)) . "\n", undef,
                         'Content-Type' => 'application/x-ndjson');
is $answer->{status}, 200, 'a bad line';
is_deeply [ map { $_->{code} // 'ok' } @{ $answer->{json}{events} } ],
          [ 'ok', 'invalid_json', 'ok' ], 'is told, an empty one ignored';
is_deeply [ map { $_->{n} } $ann->events(2) ], [ 5, 6 ], 'the others arrive';

# a bad item of a list, too, is told and does not stop the others
$answer = $mgr->try_post('{"events":[' . encode($good->('ann', 7))
                         . ',{oops},' . encode($good->('ann', 8)) . ']}');
is $answer->{status}, 200, 'a bad item';
is_deeply [ map { $_->{code} // 'ok' } @{ $answer->{json}{events} } ],
          [ 'ok', 'invalid_json', 'ok' ], 'is told';
is_deeply [ map { $_->{n} } $ann->events(2) ], [ 7, 8 ], 'the others arrive';

# a list that does not end, or has something behind it, is refused whole
for my $rest ('', ']', ']}x', ',]}', ']}}') {
    $mgr->is_problem($mgr->try_post('{"events":['
                                    . encode($good->('ann', 9)) . $rest),
                     400, 'invalid_json', "not a list: '$rest'");
}

for my $body ('{"events":{}}', '{"events":"x"}', '{"events":1}') {
    $answer = $mgr->try_post($body);
    is "$answer->{status} " . ($answer->{json}{member} // ''), '422 events',
        "no list: $body";
}

is_deeply $mgr->try_post('{"events":[]}')->{json},
          { accepted => 0, rejected => 0, events => [] }, 'an empty batch';

# many at once, in one order
$mgr->try_post([ map { $good->('ann', $_) } 100 .. 299 ]);
is_deeply [ map { $_->{n} } $ann->events(200) ], [ 100 .. 299 ], 'in order';
