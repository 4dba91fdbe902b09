#!/usr/bin/perl

# What is compressed: what is as long as "min" and not longer than a worker may
# be held up by, and becomes smaller.  All else goes as it is.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log bytes=8m;');
    ws_mgr_connections user=off;
    ws_mgr_event_size 2m;

    location /ws    { ws_mgr_socket; }
    location /on    { ws_mgr_socket; ws_mgr_deflate on; }
    location /off   { ws_mgr_socket; ws_mgr_deflate off; }
    location /1     { ws_mgr_socket; ws_mgr_deflate on min=1; }
    location /1000  { ws_mgr_socket; ws_mgr_deflate on min=1000; }
    location /1m    { ws_mgr_socket; ws_mgr_deflate on min=1m; }
    location /echo  { ws_mgr_socket; ws_mgr_deflate on min=50;
                      ws_mgr_forward echo; ws_mgr_message_size 2m; }
    location /api/  { ws_mgr_api; client_max_body_size 2m;
                      client_body_buffer_size 2m; }
CONF

my %min = ('/ws' => 256, '/on' => 256, '/1' => 1, '/1000' => 1000,
           '/1m' => 1 << 20);
my @paths = ((sort keys %min), '/off');
my %socket = map { $_ => $mgr->connect('ann', path => $_,
                          extensions => 'permessage-deflate') } @paths;

is $socket{'/off'}{window}, undef, 'not agreed on where it is off';

# how long an event becomes on the wire, without its pad
$mgr->post({ type => 'x', user_id => 'ann', pad => '' }) for 1 .. 10;
$_->events(10) for values %socket;
$mgr->post({ type => 'x', user_id => 'ann', pad => '' });
my $base = length $_->next_text for values %socket;
$base = length $socket{'/off'}{raw};

for my $size (150, 255, 256, 257, 999, 1000, 1001, 65_535, 65_536,
              (1 << 20) - 1, 1 << 20, (1 << 20) + 1)
{
    $mgr->post({ type => 'x', user_id => 'ann',
                 pad => 'x' x ($size - $base) });

    for my $path (@paths) {
        my $text = $socket{$path}->next_text // '';
        my $wanted = $min{$path} && $size >= $min{$path} && $size <= 1 << 20;

        is length $text, $size, "$size bytes at $path";
        is defined $socket{$path}{deflated}, !!$wanted,
           $wanted ? 'compressed' : 'as it is';
    }
}

# what would not become smaller
my $echo = $mgr->upgrade(path => '/echo', ticket => $mgr->ticket('ann'),
                         extensions => 'permessage-deflate');

for my $n (0, 49, 50, 100, 1000, 65_536, 1 << 20, (1 << 20) + 1) {
    for my $way (sub { 'x' x $n }, sub { random_bytes($n) }) {
        my $payload = $way->();

        $echo->binary($payload);

        my $message = $echo->message;
        my $small = $payload =~ /^x+$/ && $n >= 50 && $n <= 1 << 20;

        ok $message->{payload} eq $payload, "$n bytes echoed";
        is defined $message->{deflated}, !!$small,
           $small ? 'compressed' : 'as they are';
        cmp_ok length $message->{deflated}, '<', $n, 'and smaller' if $small;
    }
}
