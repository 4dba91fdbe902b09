#!/usr/bin/perl

# A client that comes back says where it was, and misses nothing.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $post = sub { $mgr->post({ type => 'n', user_id => 'ann', n => $_[0] }) };
my @results = map { $post->($_) } 1 .. 10;
my $zero = $results[0]{id} =~ s/-\d+$/-0/r;

# a fresh connection is live only
my $fresh = $mgr->connect('ann');

ok !$fresh->{welcome}{resumed}, 'fresh';
is $fresh->{welcome}{replayed}, 0, 'nothing replayed';
is $fresh->{welcome}{position}, $results[9]{id}, 'the position is the end';

for my $from (0 .. 10) {
    my $position = $from ? $results[$from - 1]{id} : $zero;
    my $back = $mgr->connect('ann', query => "last_event_id=$position");
    my $welcome = $back->{welcome};

    ok $welcome->{resumed}, "resumed at $from";
    is $welcome->{replayed}, 10 - $from, 'what it missed';
    is_deeply [ map { $_->{n} } $back->events(10 - $from) ],
              [ $from + 1 .. 10 ], 'in order';
    is $back->close(1000), 1000, 'goodbye';
}

# live follows, in the same form
my $back = $mgr->connect('ann', query => "last_event_id=$results[7]{id}");

push @results, $post->(11);

my @heard = $back->events(3);

is_deeply [ map { $_->{n} } @heard ], [ 9, 10, 11 ], 'then live';
is_deeply [ map { $_->{id} } @heard ], [ map { $_->{id} } @results[8 .. 10] ],
          'with the ids of the answers';
is_deeply [ map { "@{[ sort keys %$_ ]}" } @heard ],
          [ ('id n seq ts type user_id') x 3 ], 'and the same members';
is $fresh->event->{n}, 11, 'as for who was there';
is $mgr->counter('ws_mgr_resumes_total{outcome="resumed"}'), 12, 'counted';
