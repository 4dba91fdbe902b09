#!/usr/bin/perl

# Each directive: what it takes, and what it says to write instead of what it
# does not take.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my ($socket, $api) = ('ws_mgr_socket;', 'ws_mgr_api;');
my $keys = File::Temp->newdir;

sub key_file {
    my ($name, $text) = @_;

    open my $file, '>', "$keys/$name" or die $!;
    print $file $text;

    return "$keys/$name";
}

my $key = 'k' x 16;
my $secret = key_file(secret => $key);
my $good_keys = key_file(good => "# ours\n\n  $key  \r\n" . 'K' x 512);

# nginx -t of directives in http{}, or in the two locations
sub said_of {
    my ($level, $text) = @_;
    my ($http, $in_socket, $in_api) = ('', $socket, $api);

    if ($level eq 'http') {
        $http = $text;
    } elsif ($level eq 'socket') {
        $in_socket .= $text;
    } else {
        $in_api .= $text;
    }

    return Test::WsMgr::Nginx->try(http => $http, server => <<"CONF");
        location /ws   { $in_socket }
        location /api/ { $in_api }
CONF
}

# whether that line of the configuration last tried has a ws_mgr_forward
sub line_of {
    my ($said, $line) = @_;
    my ($path) = $said =~ m{ in (\S+/nginx\.conf):$line$}m;

    open my $file, '<', $path or return 0;
    my @lines = <$file>;

    return $lines[$line - 1] =~ /ws_mgr_forward/ ? 1 : 0;
}

# which directive, in what context besides; values that it takes; values that
# it does not, each with what it says
my @table = (
    [ 'ws_mgr_zone', 'http', [ '8m', '64m shards=1', '128m shards=64' ],
      [ '' => 'number of arguments' ],
      [ 'abc', '1z', '-1', '0', '1g'
        => 'use a size such as "64m", in k or m .a gigabyte is 1024m' ],
      [ '64m shards=3', '64m shards=0', '64m shards=128', '64m shards=',
        '64m shards', '64m 4', '64m shard=4' => 'use "shards=" and a power of' ],
      [ '64k shards=1', '8m shards=64' => 'too small .* use "ws_mgr_zone \d+k"' ],
    ],
    [ 'ws_mgr_redis', 'http',
      [ 'redis://127.0.0.1', 'redis://[::1]:6380/', 'redis://localhost/15',
        'redis://ann:s%3Acret@192.0.2.1:1/0 timeout=1ms', 'unix:/run/redis.sock',
        "redis://:$key\@127.0.0.1 timeout=60s",
        "unix:/r user=ann password_file=$secret db=3 timeout=1s",
        "redis://ann\@127.0.0.1 password_file=$secret" ],
      [ '' => 'number of arguments' ],
      [ '127.0.0.1', 'http://127.0.0.1', 'REDIS://a', '""', "$key\@a"
        => 'its scheme is neither .* use "redis://.*" or "unix:/path"' ],
      [ 'rediss://127.0.0.1', "rediss://:$key\@127.0.0.1"
        => 'TLS to Redis is not there yet' ],
      [ 'redis://', 'redis:///1', "redis://:$key\@" => 'it has no host' ],
      [ 'redis://127.0.0.1:0', "redis://:$key\@127.0.0.1:65536",
        'redis://127.0.0.1:x' => 'invalid port' ],
      [ "redis://ann:$key\@no.such.host.invalid" => 'host not found' ],
      [ 'unix:' => 'no path in the unix domain socket' ],
      [ 'redis://a:@127.0.0.1' => 'its password is empty' ],
      [ 'redis://127.0.0.1/x', 'redis://127.0.0.1/1/2', 'redis://127.0.0.1/-1',
        "redis://:$key\@127.0.0.1/1000001" => 'not the number of a database' ],
      [ 'redis://ann@127.0.0.1', 'unix:/r user=ann' => 'has no password, use' ],
      [ (map { "unix:/r $_" } 'timeout=0', 'timeout=61s', 'timeout=', 'user=',
         'db=0', 'db=x', 'password_file=', 'password=x', 'tls=on')
        => 'use "timeout=" and a time of at most a minute, "user="' ],
      [ 'unix:/r db=1 db=2', 'redis://127.0.0.1/1 db=1',
        'unix:/r timeout=1s timeout=1s',
        "redis://:$key\@127.0.0.1 password_file=$secret",
        "redis://a:$key\@127.0.0.1 user=a" => 'says twice what' ],
      [ 'unix:/r password_file=/nonexistent', "unix:/r password_file=$keys",
        "unix:/r password_file=$key",
        'unix:/r password_file=' . key_file(large_secret => 'x' x 513)
        => 'cannot read .* use a readable file of at most 512 bytes' ],
      [ 'unix:/r password_file=' . key_file(no_secret => "\n$key\n")
        => 'no password in .* write it as the first line' ],
    ],
    [ 'ws_mgr_engine', 'http', [ 'shm' ],
      [ 'redis', 'redis prefix=a:'
        => 'has no server, use "ws_mgr_redis redis://host" beside it' ],
      [ 'file', 'SHM' => 'use "shm" or "redis"' ],
      [ 'shm prefix=a:' => 'it has no parameters' ],
      [ 'redis prefix=', 'redis "prefix=a{b"', 'redis timeout=1s',
        'redis prefix=' . 'p' x 129 => 'use "prefix=" and up to 128' ],
      [ 'redis prefix=a prefix=b' => 'duplicate parameter "prefix=b"' ],
    ],
    [ 'ws_mgr_ticket_store', 'http', [ 'shm' ],
      [ 'redis' => '"ws_mgr_ticket_store redis" has no server, use' ],
      [ 'file', 'SHM' => 'use "shm" or "redis"' ],
      [ 'shm prefix=a:' => 'it has no parameters' ],
      [ (map { "redis $_" } 'prefix=', '"prefix=a b"', 'prefix=' . 'x' x 129,
         'timeout=0', 'timeout=61s', 'timeout=x', 'ttl=1s')
        => 'use "prefix=" and up to 128 .* such as "prefix=auth:ticket:' ],
      [ 'redis prefix=a prefix=a', 'redis timeout=1s timeout=1s'
        => 'duplicate parameter .* use it once' ],
    ],
    [ 'ws_mgr_log', 'http',
      [ 'events=1', 'bytes=256k', 'age=1ms', 'age=1d events=9 bytes=1m' ],
      [ 'events=0', 'events=1048577', 'events=x', 'events=', 'bytes=0',
        'bytes=1x', 'bytes=', 'age=0', 'age=x', 'age=', 'age=2y', 'size=1k',
        'events', 'bytes=1g'
        => 'size in k or m, .* such as "events=256 bytes=256k age=10m"' ],
      [ 'events=1 events=2', 'bytes=1m bytes=1m', 'age=1s age=2s'
        => 'duplicate parameter .* use it once' ],
      [ 'bytes=255k' => 'cannot hold one event .* use "bytes=262144"' ],
    ],
    [ 'ws_mgr_placeholder_ids', 'http',
      [ 'off', 'registry', 'a b c', '"with space"' ],
      [ 'off a', 'a off', '""', 'x' x 256, '*', "'a\tb'"
        => 'use "off" alone, or ids of 1 to 255 bytes' ],
    ],
    [ 'ws_mgr_run_timeout', 'http', [ 'off', '1ms', '5m', '1d' ],
      [ '0', '2d', 'x', '-1', '""' => 'use "off" or a time above 0 of at most a day' ],
    ],
    [ 'ws_mgr_drain', 'http', [ '1ms', '10s', '1h' ],
      [ '0', '61m', 'x', '""', 'off', '-1s'
        => 'use a time above 0 of at most an hour' ],
    ],
    [ 'ws_mgr_socket', 'socket only', [ ], [ 'on' => 'number of arguments' ] ],
    [ 'ws_mgr_origin', 'socket',
      [ 'any', 'https://example.com', 'https://EXAMPLE.com:8443',
        'http://localhost:3000 https://*.example.com', 'http://[::1]:8080',
        'capacitor://localhost', 'http://192.0.2.1' ],
      [ 'any https://example.com', 'example.com', 'https://', '//example.com',
        'https:example.com', 'https://example.com/', 'https://example.com/x',
        'https://a:0', 'https://a:65536', 'https://a:', 'https://a:b',
        'https://*', 'https://*.', 'https://a.*.com', 'https://*example.com',
        'https://u@example.com', '1x://a', 'null', '""', 'http://[::1',
        'http://[]', '*', 'https://a?b' => 'use "any" alone, or origins such' ],
    ],
    [ 'ws_mgr_refuse', 'socket', [ 'http', 'close' ],
      [ 'HTTP', 'no', '""' => 'use "http" or "close"' ],
      [ 'http close' => 'number of arguments' ],
    ],
    [ 'ws_mgr_permission', 'socket', [ 'chat', 'agent:execute' ],
      [ '""', '"a b"', "'a\tb'" => 'use one name without spaces' ],
      [ 'a b' => 'number of arguments' ],
    ],
    [ 'ws_mgr_connections', 'socket',
      [ 'user=1', 'user=off', 'address=1000000', 'total=0 over=oldest',
        'user=2 address=3 total=4 over=refuse' ],
      [ 'user=-1', 'user=x', 'user=', 'user', 'address=1000001', 'total=1.5',
        'over=newest', 'over=', 'users=1', '10'
        => 'use "user=", "address=" or "total="' ],
      [ 'user=1 user=1', 'over=refuse over=oldest'
        => 'duplicate parameter .* use it once' ],
    ],
    [ 'ws_mgr_ping', 'socket', [ 'off', '25s 10s', '400ms 1ms', '1d 1h' ],
      [ 'abc', 'on', '25s', '0 10s', '-1s 10s', 'off 10s', 'abc 10s', '2y 1s'
        => 'use "off" or an interval and a timeout such as "25s 10s"' ],
      [ '25s 0', '25s abc', '25s off', '25s ""' => 'use a timeout above 0' ],
    ],
    [ 'ws_mgr_heartbeat', 'socket', [ 'off', '1ms', '1d' ],
      [ '0', 'on', 'x', '25h', '""' => 'use "off" or an interval above 0' ],
    ],
    [ 'ws_mgr_session_age', 'socket', [ 'off', '1ms', '30d' ],
      [ '0', 'on', 'x', '31d', '""' => 'use "off" or a time above 0' ],
    ],
    [ 'ws_mgr_message_size', 'socket', [ '1', '64k', '256m' ],
      [ '0', '257m', 'x', '-1', '""', '1g' => 'use a size from 1 byte to 256m, in k or m' ],
    ],
    [ 'ws_mgr_deflate', 'socket',
      [ 'on', 'off', 'on min=1', 'on min=1m', 'on min=4k' ],
      [ 'yes', '""', 'min=256', 'off min=256'
        => 'use "off" alone, or "on", which "min=" and a size may follow' ],
      [ 'on min=0', 'on min=1048577', 'on min=', 'on min=x', 'on 256'
        => 'use "min=" and a size from 1 byte to 1m, in k or m' ],
    ],
    [ 'ws_mgr_message_rate', 'socket',
      [ '1/s', '1000000/s burst=1000000', '50/s burst=1', 'off' ],
      [ '0/s', '1000001/s', '50', '50/m', '/s', 's', 'x/s', '""', '50/sec',
        'off burst=1' => 'use "off" alone, or 1/s to 1000000/s' ],
      [ '50/s burst=0', '50/s burst=1000001', '50/s burst=', '50/s 100',
        '50/s burst=x' => 'use "burst=" and 1 to 1000000' ],
    ],
    [ 'ws_mgr_forward', 'socket', [ 'echo', 'off', '/ws', '/ws/x?y=z' ],
      [ 'on', 'agent', '@agent', '""'
        => 'use "echo", "off", or the URI of a location of the same server' ],
    ],
    [ 'ws_mgr_notify', 'socket', [ 'off', '/ws', '/ws/x?y=z' ],
      [ 'on', 'agent', '@agent', '""'
        => 'use "off", or the URI of a location of the same server' ],
    ],
    [ 'ws_mgr_api', 'api only', [ ],
      [ 'nothing', 'events all', '""' => 'use "events", "tickets", "users"' ],
      [ 'events events' => 'duplicate parameter .* use it once' ],
    ],
    [ 'ws_mgr_api_key', 'api', [ $good_keys ],
      [ '/nonexistent/keys', $keys->dirname, $key, "/$key/$key==",
        $key x 20
        => 'cannot read .* use a readable file .* one key a line' ],
      [ key_file(empty => ''), key_file(comments => "# none\n \n#\n")
        => 'no key in .* write one key a line, each of 16' ],
      [ key_file(short => "$key\nshort\n"), key_file(space => "a b $key\n"),
        key_file(long => 'x' x 513), key_file(bell => "$key\a\n"),
        key_file(utf8 => "$key\xc3\xa9\n")
        => 'invalid key in .* line \d, use 16 to 512' ],
      [ key_file(large => "#\n" x 40_000) => 'at most 65536 bytes' ],
      [ '""' => 'use the name of a file' ],
    ],
    [ 'ws_mgr_event_size', 'api', [ '64', '256k', '1m' ],
      [ '0', '63', '65m', 'x', '-1', '""', '1g'
        => 'use a size from 64 bytes to 64m, in k or m' ],
      [ '64m' => 'too small for events of 67108864 bytes, use "ws_mgr_zone' ],
    ],
    (map { [ $_, 'api', [ 'off', 'warn', 'enforce' ],
             [ 'on', 'Warn', '""' => 'use "off" or "warn" or "enforce"' ],
             [ 'off warn' => 'number of arguments' ] ] }
     'ws_mgr_schema', 'ws_mgr_run_order'),
);

for my $row (@table) {
    my ($name, $level, $good, @bad) = @$row;
    my ($where, $only) = split / /, $level;
    my ($exit, $said);

    # the location has it already
    if ($only) {
        ($exit, $said) = said_of($where, "$name;");
        like $said, qr/"$name" (?:directive is duplicate|names .* twice)/,
             "$name twice";
        $socket = '' if $where eq 'socket';
        $api = '' if $where eq 'api';
    }

    for my $value (@$good) {
        for my $level ($where eq 'http' ? 'http' : ('http', $where)) {
            ($exit, $said) = said_of($level, "$name $value;");
            is $exit, 0, "$level: $name $value" or diag $said;
        }
    }

    if (@$good) {
        ($exit, $said) = said_of($where, "$name $good->[0];" x 2);
        like $said, qr/"$name" (?:directive is duplicate|names .* twice)/,
             "$name twice";
        ($exit, $said) = Test::WsMgr::Nginx->try(main => "$name $good->[0];");
        like $said, qr/"$name" directive is not allowed here/,
             "$name outside of http";
    }

    for (@bad) {
        my ($expected, @values) = reverse @$_;

        for my $value (@values) {
            ($exit, $said) = said_of($where, "$name $value;");
            is $exit, 1, "refused: $name " . substr $value, 0, 60;
            like $said, qr/\[emerg\] .*$expected.* in .*:\d+$/m,
                 'and what to write' or diag $said;
            unlike $said, qr/\Q$key\E/, 'no key in the message';
        }
    }

    ($socket, $api) = ('ws_mgr_socket;', 'ws_mgr_api;');
}

# what stands in http only, in locations only
for my $name ('ws_mgr_zone 8m', 'ws_mgr_ticket_store shm', 'ws_mgr_drain 1s',
              'ws_mgr_redis unix:/r', 'ws_mgr_engine shm',
              'ws_mgr_log age=1s', 'ws_mgr_placeholder_ids off')
{
    my (undef, $said) = said_of(socket => "$name;");

    like $said, qr/directive is not allowed here/, "in a location: $name";
}

for my $name ('ws_mgr_socket', 'ws_mgr_api') {
    my (undef, $said) = said_of(http => "$name;");

    like $said, qr/directive is not allowed here/, "in http: $name";
}

# what the locations of a server make of it
my @servers = (
    [ 'location /x { ws_mgr_socket; ws_mgr_api; }', 'use a location for each' ],
    [ 'location /x { ws_mgr_api; ws_mgr_socket; }', 'use a location for each' ],
    [ 'location ~ x { ws_mgr_api; }', 'use it in a prefix location' ],
    [ 'location = /x { ws_mgr_api; }', 'use it in a prefix location' ],
    [ 'location @x { ws_mgr_api; }', 'use it in a prefix location' ],
    [ 'location /x { if ($args) { ws_mgr_socket; } }', 'not allowed here' ],
    [ 'location ^~ /x/ { ws_mgr_api; }' ],
    [ 'location ~ x { ws_mgr_socket; } location = /y { ws_mgr_socket; }' ],
    [ 'location /x/ { ws_mgr_api; location /x/ws { ws_mgr_socket; } }' ],
    [ 'location /x/ { ws_mgr_socket; location /x/api/ { ws_mgr_api; } }' ],
    [ 'location /x/ { ws_mgr_api users connections; }'
      . 'location /y/ { ws_mgr_api events broadcast; }' ],
    (map { [ "location /x/ { ws_mgr_api $_; }" ] }
     qw/ events tickets users connections health status metrics broadcast /),
);

for (@servers) {
    my ($server, $expected) = @$_;
    my ($exit, $said) = Test::WsMgr::Nginx->try(server => $server);

    if ($expected) {
        like $said, qr/\[emerg\] .*$expected/, "refused: $server";
    } else {
        is $exit, 0, $server or diag $said;
    }
}

# where messages are forwarded to: there, and closed to all others
my $leads = 'location /ws { ws_mgr_socket; ws_mgr_forward %s; }';

for ([ '/agent', 'location /agent { internal; }' ],
     [ '/agent/x?a=b', 'location /agent { internal; }' ],
     [ '/agent', 'location = /agent { internal; }' ],
     [ '/agent/x', 'location / { location /agent/ { internal; } }' ],
     [ '/x/agent', 'location ~ /agent$ { internal; } location /x { }' ],
     [ '/x', 'location ^~ /x { internal; } location ~ . { }' ])
{
    my ($uri, $locations) = @$_;
    my ($exit, $said) = Test::WsMgr::Nginx->try(
        server => sprintf($leads, $uri) . $locations);

    is $exit, 0, "$uri: $locations" or diag $said;
    unlike $said, qr/\[warn\]/, 'without a warning';
}

for ('/agen', '/other', '/agent/x') {
    my (undef, $said) = Test::WsMgr::Nginx->try(
        server => sprintf($leads, $_) . 'location = /agent { internal; }'
                  . 'location @agen { } location ~ ^/$ { }');

    like $said, qr/\[emerg\] .*ws_mgr_forward "$_" leads to no location of/,
         "$_ leads nowhere";
}

# the line is that of the directive
my (undef, $open) = Test::WsMgr::Nginx->try(server => sprintf($leads, '/x'),
                                            http => "# a line\n" x 20);
my ($line) = $open =~ /leads to no location .* in \S+nginx\.conf:(\d+)$/m;

cmp_ok $line // 0, '>', 35, 'a line is named';
is line_of($open, $line), 1, 'and it has the directive' or diag $open;

# what takes all that no other location takes is no place for messages
for my $directive ('ws_mgr_forward', 'ws_mgr_notify') {
    my $server = "location /ws { ws_mgr_socket; $directive /agnet; }"
                 . 'location = /agent { internal; } location / { %s }';
    my ($exit, $said) = Test::WsMgr::Nginx->try(
        server => sprintf $server, 'return 404;');

    is $exit, 1, "$directive: falls into location /";
    like $said, qr/\[emerg\] $directive "\/agnet" leads to "location \/", .* mistyped.* in .*:\d+$/m,
         'and is told so';

    ($exit, $said) = Test::WsMgr::Nginx->try(
        server => sprintf $server, 'internal;');
    is $exit, 0, 'unless it is internal' or diag $said;
}

# one location, one directive that answers
for my $ours ('ws_mgr_socket', 'ws_mgr_api') {
    for my $other ('proxy_pass http://127.0.0.1:1;', 'stub_status;',
                   'fastcgi_pass 127.0.0.1:1;')
    {
        for my $both ("$ours; $other", "$other $ours;") {
            my (undef, $said) = Test::WsMgr::Nginx->try(
                server => "location /x { $both }");

            like $said, qr/\[emerg\] "$ours" stands beside .* use a location for each in .*:\d+$/m,
                 $both;
        }
    }

    my ($exit, $said) = Test::WsMgr::Nginx->try(server =>
        "location /x { $ours; if (\$args) { proxy_pass http://127.0.0.1:1; } }");

    is $exit, 0, "$ours, and another in an if" or diag $said;
}

# a drain that is cut
for ([ '5s', '4s', 1 ], [ '5s', '5s', 0 ], [ '5s', undef, 0 ]) {
    my ($drain, $shutdown, $warns) = @$_;
    my ($exit, $said) = Test::WsMgr::Nginx->try(
        main => $shutdown ? "worker_shutdown_timeout $shutdown;" : '',
        http => "ws_mgr_drain $drain;");

    is $exit, 0, 'taken';
    is scalar($said =~ /\[warn\] .*"ws_mgr_drain" is 5000 ms and "worker_shutdown_timeout" 4000 ms/),
       $warns ? 1 : '', "drain $drain, shutdown " . ($shutdown // 'none');
}

(undef, $open) = Test::WsMgr::Nginx->try(
    server => sprintf($leads, '/agent') . 'location /agent { }');

like $open, qr/\[warn\] .*"\/agent", .* is not internal: anybody can post/,
     'a location that is open to all';

(undef, $open) = Test::WsMgr::Nginx->try(
    server => 'location /ws { ws_mgr_socket; ws_mgr_notify /other; }');

like $open, qr/\[emerg\] ws_mgr_notify "\/other" leads to no location of/,
     'notices that lead nowhere';

# what only the whole can tell
my @wholes = (
    [ 'ws_mgr_zone 8m; ws_mgr_zone 8m;', 'duplicate: a manager has one zone' ],
    [ 'ws_mgr_log bytes=512k; ws_mgr_event_size 1m;',
      'cannot hold one event .* use "bytes=1048576"' ],
    [ 'ws_mgr_log bytes=1m; ws_mgr_event_size 1m;' ],
    [ 'ws_mgr_event_size 1m;' ],
    [ 'ws_mgr_redis unix:/r; ws_mgr_redis unix:/s;' ],
    [ 'ws_mgr_redis unix:/r; ws_mgr_redis unix:/r;', 'names the server .* twice' ],
    [ join('', map { "ws_mgr_redis unix:/r$_;" } 1 .. 65), 'more than 64' ],
    [ 'ws_mgr_redis unix:/r; ws_mgr_engine redis;' ],
    [ 'ws_mgr_engine redis prefix=p:; ws_mgr_redis unix:/r; ws_mgr_redis unix:/s;' ],
    [ 'ws_mgr_redis unix:/r; ws_mgr_ticket_store redis;' ],
    [ 'ws_mgr_ticket_store redis prefix=a timeout=1s; ws_mgr_redis unix:/r;' ],
    [ 'ws_mgr_redis unix:/r; ws_mgr_ticket_store shm;' ],
    [ 'ws_mgr_event_size 1m; ws_mgr_zone 3m shards=2;', 'too small for events' ],
);

for (@wholes) {
    my ($http, $expected) = @$_;
    my ($exit, $said) = said_of(http => $http);

    if ($expected) {
        like $said, qr/\[emerg\] .*$expected/, "refused: $http";
    } else {
        is $exit, 0, $http or diag $said;
    }
}

# shards are as many as workers, rounded up to a power of two
for ([ 1, 1 ], [ 2, 2 ], [ 3, 4 ], [ 5, 8 ]) {
    my ($workers, $shards) = @$_;
    my (undef, $said) = Test::WsMgr::Nginx->try(workers => $workers,
                                                http => 'ws_mgr_zone 64k;');

    like $said, qr/ in $shards shards is too small/, "$workers workers";
}

my ($refused, $many) = Test::WsMgr::Nginx->try(workers => 129);

is $refused, 0, 'more workers than slots are no error';
like $many, qr/\[warn\] more "worker_processes" than 128: .* with 503/,
     'a warning';

# where nothing of it is used, nothing of it is in the way
my $unused = Test::WsMgr::Nginx->new;
my $module = Test::WsMgr::Nginx::module();

open my $file, '>', "$unused->{dir}/nginx.conf" or die $!;
print $file $module ? "load_module $module;\n" : '',
      "pid $unused->{dir}/pid; events { }\n",
      "http { access_log off; ws_mgr_log bytes=1; ws_mgr_ping off;\n",
      "       server { } }\n";
close $file;

my ($exit, $said) = $unused->check;

is $exit, 0, 'without a location' or diag $said;

# sockets that nobody posts to
for ([ 'location /ws { ws_mgr_socket; }', 1 ],
     [ 'location /ws { ws_mgr_socket; } location /api/ { ws_mgr_api; }', '' ])
{
    my ($server, $warns) = @$_;

    $unused->write_file('nginx.conf', ($module ? "load_module $module;\n" : '')
        . "pid $unused->{dir}/pid; events { }\n"
        . "http { access_log off; server { $server } }\n");
    ($exit, $said) = $unused->check;

    is $exit, 0, $server or diag $said;
    is scalar($said =~ /\[warn\] .*without "ws_mgr_api" .* in .*:\d+$/m), $warns,
       $warns ? 'is warned of' : 'without a warning';
}

done_testing;
