#!/usr/bin/perl

# Sockets of a location share a log: each line still says of whom it speaks.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', log_level => 'info');
    set_real_ip_from 127.0.0.1;
    real_ip_header   X-Real-IP;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my %socket = map {
    $_ => $mgr->connect("user-$_", headers => { 'X-Real-IP' => "192.0.2.$_" })
} 1 .. 4;

# each of them is heard between two lines of another
for (4, 3, 2, 1) {
    $socket{$_}->say({ type => 'ping' });
    $socket{$_}->event;
}

$socket{3}->raw("\xff\xff");
$socket{3}->closed;
$socket{1}->text("\xff");
$socket{1}->closed;
$socket{4}->raw("\xff\xff");
$socket{4}->closed;

my @lines = grep { /ws_mgr closes with/ } split /\n/, $mgr->log('error.log');

is scalar(@lines), 3, 'a line of each';

for ([ 0, 3, 1002 ], [ 1, 1, 1007 ], [ 2, 4, 1002 ]) {
    my ($i, $who, $code) = @$_;

    like $lines[$i], qr/closes with $code: .* client: 192\.0\.2\.$who\b/,
        "socket $who";
}

my %numbers = map { /\*(\d+) / ? ($1 => 1) : () } @lines;

is keys %numbers, 3, 'and the number of its connection';
