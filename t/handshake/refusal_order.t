#!/usr/bin/perl

# A ticket survives an upgrade that was refused for another reason.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_connections address=1000;

    location /ws         { ws_mgr_socket; }
    location /ws/total   { ws_mgr_socket; ws_mgr_connections total=1; }
    location /ws/address { ws_mgr_socket; ws_mgr_connections address=1; }
    location /ws/user    { ws_mgr_socket; ws_mgr_connections user=1; }
    location /ws/admin   { ws_mgr_socket; ws_mgr_permission admin; }
    location /api/       { ws_mgr_api; }
CONF

my $full = $mgr->connect('full');

my %bad = (
    method  => { method => 'POST' },
    upgrade => { headers => { Upgrade => undef } },
    version => { headers => { 'Sec-WebSocket-Version' => 8 } },
    key     => { headers => { 'Sec-WebSocket-Key' => '!' } },
    origin  => { headers => { Origin => 'https://evil' } },
    total   => { path => '/ws/total' },
    address => { path => '/ws/address' },
);

for my $name (sort keys %bad) {
    my $ticket = $mgr->ticket('ann');
    my $refused = $mgr->upgrade(ticket => $ticket, %{ $bad{$name} });
    my $ann = $mgr->upgrade(ticket => $ticket);

    isnt $refused->status, 101, "refused for its $name";
    is $ann->status, 101, 'and the ticket still opens';
    $ann->close;
}

for my $where (qw/ user admin /) {
    my $ticket = $mgr->ticket('full');

    isnt $mgr->upgrade(ticket => $ticket, path => "/ws/$where")->status, 101,
         "refused at $where";
    $mgr->is_problem($mgr->upgrade(ticket => $ticket)->answer, 401,
                     'ticket_used', 'which cost the ticket');
}

# what is checked earlier is what is told
my @both = (
    [ bad_request => { headers => { 'Sec-WebSocket-Key' => 'x',
                                    Origin => 'https://evil' } } ],
    [ origin_denied => { headers => { Origin => 'https://evil' },
                         path => '/ws/total' } ],
    [ limit_total => { path => '/ws/total' } ],
    [ limit_address => { path => '/ws/address', ticket => 'short' } ],
);

for (@both) {
    my ($code, $upgrade) = @$_;

    is $mgr->upgrade(%$upgrade)->answer->{json}{code}, $code, "$code first";
}
