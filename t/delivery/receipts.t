#!/usr/bin/perl

# A publisher that lost its answer finds out what happened.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

sub log_of { $mgr->api(GET => "events/ann$_[0]") }

# state of each connection, by id
sub states {
    my $answer = log_of("?event_id=$_[0]");

    return { map { $_->{connection_id} => $_->{state} }
             @{ $answer->{json}{receipt}{connections} } };
}

my $ann = $mgr->connect('ann');
my $two = $mgr->connect('ann');

$two->text('{"type":"thread_switched","thread_id":"t"}');
$two->text('{"type":"ping"}');
$two->event;

my $posted = $mgr->post({ type => 'x', user_id => 'ann', event_id => 'e 1',
                          n => 7 });
$_->event for $ann, $two;

eventually { states('e%201')->{ $two->{id} } eq 'sent' } 'sent to the second';

my $found = log_of('?event_id=e%201')->{json};

is_deeply [ map { $_->{n} } @{ $found->{events} } ], [ 7 ], 'the one event';
is $found->{receipt}{id}, $posted->{id}, 'with its id';
is $found->{receipt}{event_id}, 'e 1', 'and that of its publisher';
is_deeply states('e%201'), { $ann->{id} => 'sent', $two->{id} => 'sent' },
          'sent to both';

$ann->text('{"type":"event_confirmation","event_id":"e 1"}');
eventually { states('e%201')->{ $ann->{id} } eq 'confirmed' } 'confirmed by one';
is states('e%201')->{ $two->{id} }, 'sent', 'not by the other';

# only those that it was for
$mgr->post({ type => 'x', user_id => 'ann', event_id => 'e2', thread_id => 't',
             audience => 'thread' });
$two->event;
eventually { (states('e2')->{ $two->{id} } // '') eq 'sent' } 'for one thread';
is_deeply [ keys %{ states('e2') } ], [ $two->{id} ], 'and its socket alone';

# who came later was not matched
my $late = $mgr->connect('ann');
ok !exists states('e%201')->{ $late->{id} }, 'nor who came later';

# the log as a whole, and how far each has it
my $log = log_of('')->{json};
my %of = map { $_->{connection_id} => $_ } @{ $log->{connections} };

is_deeply [ sort keys %of ], [ sort map { $_->{id} } $ann, $two, $late ],
          'all connections';
is $of{ $ann->{id} }{confirmed}, $posted->{id}, 'confirmed up to there';
eventually {
    my ($one) = grep { $_->{connection_id} eq $two->{id} }
                @{ log_of('')->{json}{connections} };

    return $one->{sent} eq $log->{position};
} 'sent up to the end';

# what is not there
$mgr->is_problem(log_of('?event_id=nothing'), 404, 'event_unknown');
$mgr->is_problem($mgr->api(GET => 'events/bob?event_id=e2'), 404, 'user_unknown');
is log_of("?event_id=$_")->{status}, 400, "event_id=$_" for '', 'x' x 256;

# an answer that was lost: the same again, and what the first one said
my $lost = $mgr->client;
$lost->send('POST', '/api/events',
            '{"type":"y","user_id":"ann","event_id":"e3"}');
is $_->event->{type}, 'y', 'delivered' for $ann, $two, $late;
$lost->close;

my $again = $mgr->post('{"type":"y","user_id":"ann","event_id":"e3"}');

ok $again->{duplicate}, 'posted again it is a duplicate';
is $again->{id}, log_of('?event_id=e3')->{json}{receipt}{id}, 'the same event';
is $again->{sockets}, 3, 'with the first answer';
