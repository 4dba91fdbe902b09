#!/usr/bin/perl

# A post that is repeated is delivered once.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=8;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my %event = (type => 'x', user_id => 'ann', event_id => 'e-1', a => 1);
my $first = $mgr->post({ %event });
my $later = $mgr->connect('ann');

is $first->{event_id}, 'e-1', 'the answer names it';
is $first->{sockets}, 1, 'and the one socket that there was';
ok !$first->{duplicate}, 'no duplicate';

$mgr->counts('ws_mgr_events_duplicate_total', 2, sub {
    for (1, 2) {
        my $again = $mgr->post({ %event });

        ok $again->{duplicate}, 'a duplicate';
        is $again->{$_}, $first->{$_}, "with the first one's $_"
            for qw/ id seq event_id sockets nodes /;
    }
});

$mgr->counts($mgr->rejection('event_id_conflict'), 1, sub {
    $mgr->is_problem($mgr->try_post({ %event, a => 2 }), 409,
                     'event_id_conflict', 'the same id with another body');
});

# what is taken out of the body is of the body
my %aimed = (type => 'x', user_id => 'ann', event_id => 'e-0');

$mgr->post({ %aimed, connection_id => $ann->{id} });

for my $other ({}, { connection_id => 'another' }, { ttl_ms => 60_000,
                 connection_id => $ann->{id} }, { class => 'drop',
                 connection_id => $ann->{id} })
{
    $mgr->is_problem($mgr->try_post({ %aimed, %$other }), 409,
                     'event_id_conflict', 'the same id, addressed otherwise');
}

ok $mgr->post({ %aimed, connection_id => $ann->{id} })->{duplicate},
   'addressed alike';

ok !$mgr->post({ %event, user_id => 'bob' })->{duplicate},
   'the same id for another user';
ok !$mgr->post({ %event, event_id => 'e-2' })->{duplicate}, 'another id';

is_deeply [ map { $_->{event_id} } $ann->events(3) ],
          [ 'e-1', 'e-0', 'e-2' ],
          'each is delivered once';

# twice in one batch
my $answer = $mgr->try_post([ map { { %event, event_id => 'e-3' } } 1, 2 ]);
my ($one, $two) = @{ $answer->{json}{events} };

ok !$one->{duplicate} && $two->{duplicate}, 'within a batch';
is $two->{seq}, $one->{seq}, 'one place in the log';
is $ann->event->{event_id}, 'e-3', 'delivered once';

# the memory is as long as the log
for (1 .. 9) {
    $mgr->post({ type => 'filler', user_id => 'ann' });
    $ann->event;
}

ok !$mgr->post({ %event })->{duplicate}, 'forgotten with the log';
is $ann->event->{event_id}, 'e-1', 'and so delivered again';

for my $id (1, '', 'x' x 256, []) {
    $mgr->is_problem($mgr->try_post({ %event, event_id => $id }), 422,
                     'invalid_event', 'not an event_id');
}
