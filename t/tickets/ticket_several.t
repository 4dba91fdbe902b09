#!/usr/bin/perl

# A request that carries more than one ticket.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $offer = sub {
    (headers => { 'Sec-WebSocket-Protocol' => join ', ', map { "ticket.$_" } @_ })
};

my @ways = (
    [ 'two in the header', sub { $offer->(@_) } ],
    [ 'in two headers', sub {
        (headers => { 'Sec-WebSocket-Protocol' =>
                      [ map { "ticket.$_" } @_ ] }) } ],
    [ 'two arguments', sub { (query => join '&', map { "ticket=$_" } @_) } ],
    [ 'arguments of two names',
      sub { (query => "ticket=$_[0]&auth_ticket=$_[1]") } ],
    [ 'header and argument', sub { ($offer->($_[0]), query => "ticket=$_[1]") } ],
);

for (@ways) {
    my ($name, $how) = @$_;
    my @tickets = map { $mgr->ticket('ann') } 1 .. 2;
    my $refused = $mgr->upgrade($how->(@tickets))->answer;

    $mgr->is_problem($refused, 400, 'bad_request', $name);

    for my $ticket (@tickets) {
        my $socket = $mgr->upgrade($how->($ticket, $ticket));

        is $socket->status, 101, 'both are good yet, and the same twice is one';
        $socket->close(1000);
    }
}

# bytes that mean something else elsewhere
my $ticket = $mgr->ticket('ann');
my $encoded = $ticket =~ s/(.)/sprintf '%%%02x', ord $1/er;

is $mgr->upgrade(query => "ticket=$encoded")->status, 101, 'percent-encoded';
