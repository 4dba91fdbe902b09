#!/usr/bin/perl

# How a worker gets into Redis: by TCP or a socket, as a user or with a
# password alone, which may be in a file, into a database, under a prefix.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start(tcp => 1, args => [
    '--requirepass' => 'p@ss/word: 1',
]);

$redis->say(AUTH => 'p@ss/word: 1');
$redis->say(ACL => SETUSER => gate => qw{ on >Gate-1 ~door:* +@all });

my $files = File::Temp->newdir;

sub file {
    my ($name, $text) = @_;

    open my $file, '>', "$files/$name" or die $!;
    print $file $text;

    return "$files/$name";
}

my $password = file(password => "p\@ss/word: 1\r\nnot this\n");
my $gate = file(gate => 'Gate-1');
my $at = $redis->address;
my $unix = $redis->unix;

# the directives; where the tickets are then: database and prefix
my @ways = (
    [ "ws_mgr_redis redis://:p%40ss%2Fword%3A%201\@$at;" => 0, 'auth:ticket:' ],
    [ "ws_mgr_redis redis://default:p%40ss%2Fword%3A%201\@$at/3;"
      => 3, 'auth:ticket:' ],
    [ "ws_mgr_redis redis://$at/2 password_file=$password;"
      => 2, 'auth:ticket:' ],
    [ "ws_mgr_redis $unix password_file=$password db=4 timeout=1s;"
      . 'ws_mgr_ticket_store redis "prefix={t}x:" timeout=500ms;'
      => 4, '{t}x:' ],
    [ "ws_mgr_ticket_store redis prefix=door:;"
      . "ws_mgr_redis redis://gate:Gate-1\@$at;" => 0, 'door:' ],
    [ "ws_mgr_redis $unix user=gate password_file=$gate;"
      . 'ws_mgr_ticket_store redis prefix=door:;' => 0, 'door:' ],
    [ "ws_mgr_redis redis://gate\@$at password_file=$gate;"
      . 'ws_mgr_ticket_store redis prefix=door:;' => 0, 'door:' ],
    [ "ws_mgr_redis redis://localhost:$redis->{port} "
      . "password_file=$password;" => 0, 'auth:ticket:' ],
);

my $mgr;

for (@ways) {
    my ($http, $db, $prefix) = @$_;

    if ($mgr) {
        ok $mgr->reload(http => $http), "reload: $http";
    } else {
        $mgr = manager(<<'CONF', http => $http);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF
    }

    my $ticket = $mgr->ticket('ann');

    $redis->say(SELECT => $db);
    like $redis->say(GET => "$prefix$ticket"), qr/"ann"/, "$prefix in $db";
    is $mgr->upgrade(ticket => $ticket)->status, 101, 'and it lets in';
}

# what does not get in, and why
my %bad = (
    "redis://$at" => 'NOAUTH',
    "redis://:wrong\@$at" => 'WRONGPASS',
    "redis://gate:wrong\@$at" => 'WRONGPASS',
    "redis://:p%40ss%2Fword%3A%201\@$at/99" => 'ERR DB index is out of range',
);

for my $url (sort keys %bad) {
    $mgr->reload(http => "ws_mgr_redis $url;");

    eventually {
        "@{ $mgr->watched('health')->{reasons} }" =~ /: $bad{$url}/
    } "$url: $bad{$url}";
    $mgr->is_problem($mgr->upgrade(ticket => 'x' x 43)->answer, 503,
                     'ticket_store_unavailable');
}

unlike $mgr->log('error.log'), qr/wrong|Gate-1|ss.word/, 'no password is logged';

# old workers leave no connection behind
$mgr->reload(http => "ws_mgr_redis $unix password_file=$password;");
$mgr->connect('bob')->drop;
eventually {
    (() = $redis->say(CLIENT => 'LIST') =~ /^id=/mg) == 2
} 'one connection a worker' or diag $redis->say(CLIENT => 'LIST');
