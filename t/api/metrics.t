#!/usr/bin/perl

# GET metrics: what Prometheus' own tool takes, and what happened; and the
# document of them, which is made from it.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_redis ' . $redis->unix . ';');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');

$mgr->post({ type => 'x', user_id => 'ann',
             token_usage => { input_tokens => 3, output_tokens => 2 } })
    for 1 .. 3;
$ann->events(3);
$ann->say({ type => 'ping' });
$ann->event;
$mgr->upgrade;
$mgr->connect('bob')->close;
wait_until { $mgr->counter('ws_mgr_closes_total') };

my $text = $mgr->client->get('/api/metrics');

like $text->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4},
     'the text format';
$text = $text->{body};

my %value = $text =~ /^(ws_mgr_\w+(?:\{[^}]*\})?) (\S+)$/mg;
my %of = (
    'ws_mgr_upgrades_total' => 2,
    'ws_mgr_refusals_total{code="ticket_missing"}' => 1,
    'ws_mgr_events_accepted_total' => 3,
    'ws_mgr_events_delivered_total' => 3,
    'ws_mgr_connections{state="open"}' => 1,
    'ws_mgr_connections{state="opening"}' => 0,
    'ws_mgr_users' => 1,
    'ws_mgr_workers' => 2,
    'ws_mgr_tokens_total{direction="input"}' => 9,
    'ws_mgr_delivery_seconds_count' => 3,
    'ws_mgr_delivery_seconds_bucket{le="+Inf"}' => 3,
    'ws_mgr_ticket_check_seconds_count' => 2,
    'ws_mgr_close_codes_total{side="client",code="1005"}' => 1,
    'ws_mgr_tickets_total{result="consumed"}' => 2,
    'ws_mgr_redis_up{server="' . $redis->unix . '"}' => 1,
);

is $value{$_}, $of{$_}, "$_ $of{$_}" for sort keys %of;
cmp_ok $value{'ws_mgr_ticket_check_seconds_sum'}, '>', 0, 'it took time';
cmp_ok $value{'ws_mgr_zone_used_bytes{kind="events"}'}, '>', 300, 'events';
cmp_ok $value{'ws_mgr_redis_command_seconds_count'}, '>', 3, 'commands';
unlike $text, qr/\bann\b|\bbob\b/, 'no user in it';

# buckets rise, and their last is the count
for my $metric ($text =~ /^# TYPE (\S+) histogram$/mg) {
    my @buckets = $text =~ /^\Q$metric\E_bucket\{[^}]*\} (\d+)$/mg;

    is "@buckets", "@{[ sort { $a <=> $b } @buckets ]}", "$metric rises";
    is $buckets[-1], $value{"${metric}_count"}, 'to its count';
}

SKIP: {
    skip 'no promtool', 1 if !-x '/usr/bin/promtool';

    open my $tool, '|-', "promtool check metrics >$mgr->{dir}/promtool 2>&1";
    print $tool $text;
    close $tool;
    is $?, 0, 'promtool check metrics' or diag $mgr->log('promtool');
    is $mgr->log('promtool'), '', 'and finds no fault';
}

# status and metrics are of one table
my $counters = $mgr->status->{counters};

is_deeply [ grep { !exists $value{$_} } sort keys %$counters ], [],
          'each counter of status is a metric';

# --- the document ---

my $path = "$top/docs/metrics.md";

open my $out, '|-', "$top/build-aux/metrics-doc >$mgr->{dir}/metrics.md";
print $out $text;
close $out;

if ($ENV{WS_MGR_DOCS}) {
    open my $new, '>:raw', $path or die $!;
    print $new $mgr->log('metrics.md');
}

open my $file, '<:raw', $path or die $!;
my $document = do { local $/; <$file> };

is $mgr->log('metrics.md'), $document, 'docs/metrics.md is what there is'
    or diag 'make docs writes it';
