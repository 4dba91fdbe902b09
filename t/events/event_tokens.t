#!/usr/bin/perl

# Token usage is added up for each run and for the node.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $use = sub {
    my ($run, $where, $in, $out, $cost, %more) = @_;
    my %usage = (input_tokens => $in, output_tokens => $out, cost => $cost);

    delete @usage{ grep { !defined $usage{$_} } keys %usage };

    $mgr->post({ type => 'usage', user_id => 'ann', run_id => $run, %more,
                 $where eq 'data' ? (data => { tokens => \%usage })
                                  : ($where => \%usage) });
};

$use->('r1', 'token_usage', 100, 10, 0.25);
$use->('r1', 'tokens', 20, 2, 0.5);
$use->('r1', 'data', 3, undef, undef);
$use->('r2', 'token_usage', 1000, 500, undef);
$use->('r2', 'tokens', 1, 1, 1, event_id => 'once') for 1, 2;

my %run = map { $_->{run_id} => $_ } @{ $mgr->watched('users/ann')->{runs} };
my $sum = sub {
    my ($of) = @_;

    $of = $of->{tokens} if $of->{tokens};

    return [ map { $of->{$_} } qw/ input_tokens output_tokens cost / ];
};

is_deeply $sum->($run{r1}), [ 123, 12, 0.75 ], 'of the first run';
is_deeply $sum->($run{r2}), [ 1001, 501, 1 ],
          'of the second, a duplicate counted once';
is_deeply $sum->($mgr->status), [ 1124, 513, 1.75 ], 'of the node';

# of one event for many it is once that of the node, however often posted
for (1, 2) {
    $mgr->post({ type => 'usage', user_ids => [ 'ann', 'bob' ],
                 run_id => 'r3', event_id => 'of both',
                 tokens => { input_tokens => 1, output_tokens => 2,
                             cost => 0.25 } });
}

is_deeply $sum->($mgr->status), [ 1125, 515, 2 ], 'of an event for many';

# what is no usage is passed through and not counted
for my $odd ('many', [], 7, undef, { input_tokens => 'x' },
             { input_tokens => -5 })
{
    is $mgr->try_post({ type => 'usage', user_id => 'ann', run_id => 'r1',
                        tokens => $odd })->{status}, 200,
       'taken: ' . encode($odd);
}

is_deeply $sum->($mgr->status), [ 1125, 515, 2 ], 'nothing is added';
