#!/usr/bin/perl

# Nothing is thrown away in silence: each discard is a row of one table, counted,
# seen in GET status, and provoked by a test.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $sources = "$top/ngx_ws_mgr";

sub slurp {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return scalar <$file>;
}

# --- the tables ---

my $table = slurp("$sources/core/ngx_ws_mgr_discard.h") =~ s/\\\n//gr;
my $counters = slurp("$sources/core/ngx_ws_mgr_counter.h") =~ s/\\\n//gr;
my (%why, %name);

# not the examples in the comments
s/.*?#define NGX_WS_MGR_\w+_TABLE//s for $table, $counters;

$why{$1} = "$2: $3"
    while $table =~ /\bX\((\w+),\s*"([^"]*)",\s*"([^"]*)"\)/g;
while ($counters =~ /\bX\((\w+),\s*"(\w+)",\s*"((?:[^"\\]|\\.)*)"/g) {
    my ($name, $metric, $labels) = ($1, $2, $3);

    $labels =~ s/\\"/"/g;
    $name{$name} = $metric . (length $labels ? "{$labels}" : '');
}

cmp_ok keys %why, '>=', 20, scalar(keys %why) . ' ways to be thrown away';
is_deeply [ grep { !$name{$_} } keys %why ], [], 'each has a counter';

# --- the code: what takes things away counts them by the table ---

my %code = map { $_ => slurp($_) } glob "$sources/*/*.c";
my %functions;

for my $file (sort keys %code) {
    # the text of each function, by its name
    while ($code{$file} =~ /^(ngx_ws_mgr_\w+)\([^;]*?\)\n\{\n(.*?)^\}/gms) {
        $functions{$1} = $2;
    }
}

cmp_ok keys %functions, '>', 500, scalar(keys %functions) . ' functions';

# how things leave before anybody had them; where the caller counts, or nobody
# loses anything, that is said here
my %takes = (
    qr/\bngx_ws_mgr_log_evict\(/ => {},
    qr/\bngx_ws_mgr_shard_free_run_locked\(/ => {},
    qr/\bngx_ws_mgr_ticket_shm_remove_locked\(/ => {
        ngx_ws_mgr_ticket_shm_revoke => 'it was asked to, and counts as that',
    },
    qr/\bframe\.skip = 1;/ => {
        ngx_ws_mgr_session_frame => 'control frames after a close',
    },
    qr/\bngx_ws_mgr_shard_rebuild\(/ => {},
);

for my $pattern (sort keys %takes) {
    my @taking = grep { $functions{$_} =~ $pattern } sort keys %functions;

    ok @taking > 0, "$pattern is found";

    for my $function (@taking) {
        next if $takes{$pattern}{$function};
        like $functions{$function}, qr/\bngx_ws_mgr_discard(?:_at|_add)?\(/,
             "$function counts what it takes away";
    }
}

# a counter of the table is counted in no other way
for my $name (sort keys %why) {
    my @wrong = grep { $code{$_} =~ /ngx_ws_mgr_count(?:_add)?\($name\b/ }
                keys %code;

    is_deeply \@wrong, [], "$name is a discard wherever it is counted";
    ok((grep { $code{$_} =~ /\bngx_ws_mgr_discard(?:_add)?\($name\b|\bNGX_WS_MGR_DISCARD_$name\b/ }
        keys %code) > 0, 'and it is counted somewhere');
}

# --- the tests: each is provoked by one ---

my %tests = map { $_ => slurp($_) } glob "$top/t/*/*.t $top/t/unit/*.c";

for my $name (sort keys %why) {
    my $counter = $name{$name};
    my @provoking = grep { index($tests{$_}, $counter) >= 0
                           || $tests{$_} =~ /\bNGX_WS_MGR_$name\b/ } keys %tests;

    ok @provoking > 0, "$counter has a test";
}

# --- those that need little ---

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=4 bytes=300k age=700ms;');
    location /ws   { ws_mgr_socket; ws_mgr_message_rate 1/s burst=1; }
    location /api/ { ws_mgr_api; }
CONF

my %shown = map { $_->{counter} => $_ } @{ $mgr->status->{discards} };

is_deeply [ sort keys %shown ], [ sort map { $name{$_} } keys %why ],
          'status shows each';
is "$shown{ $name{$_} }{what}: $shown{ $name{$_} }{why}", $why{$_}, 'in words'
    for sort keys %why;

sub shown {
    my ($counter) = @_;

    return (map { $_->{n} } grep { $_->{counter} eq $counter }
            @{ $mgr->status->{discards} })[0];
}

my $eviction = sub { qq/ws_mgr_log_evictions_total{cause="$_[0]"}/ };

$mgr->counts('ws_mgr_log_evictions_total{cause="events"}', 3, sub {
    $mgr->post({ type => 'n', user_id => 'ann' }) for 1 .. 7;
});
is shown($eviction->('events')), 3, 'and status says so';

$mgr->counts('ws_mgr_log_evictions_total{cause="idle"}', 4, sub { });
$mgr->counts('ws_mgr_log_evictions_total{cause="ttl"}', 1, sub {
    $mgr->post({ type => 'n', user_id => 'bob', ttl_ms => 1 });
});

my $cat = $mgr->connect('cat');

$mgr->post({ type => 'n', user_id => 'cat' });
$cat->event;
$mgr->counts('ws_mgr_log_evictions_total{cause="age"}', 1, sub {
    wait_until { !@{ $mgr->watched('events/cat')->{events} } };
});

$mgr->counts('ws_mgr_log_evictions_total{cause="bytes"}', 1, sub {
    $mgr->post({ type => 'n', user_id => 'dan', pad => 'x' x 200_000 })
        for 1, 2;
});

$mgr->counts('ws_mgr_runs_forgotten_total', 1, sub {
    $mgr->post({ type => 'agent_started', user_id => 'cat', run_id => "r$_",
                 agent_name => 'a' }) for 1 .. 65;
});

$mgr->counts('ws_mgr_messages_rate_limited_total', 1, sub {
    $cat->text('{"type":"ping"}') for 1, 2;
});

# the server's close frame is on its way, the client does not know of it yet
$mgr->counts('ws_mgr_messages_late_total', 2, sub {
    $mgr->api(DELETE => 'users/cat');
    wait_until { !$mgr->connections_of('cat') };
    $cat->text('{"type":"ping"}') for 1, 2;
});
