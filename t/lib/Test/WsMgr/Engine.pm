package Test::WsMgr::Engine;

# Several managers and one Redis (or more) between them.

use strict;
use warnings;

use Carp qw/ croak /;
use Exporter qw/ import /;
use Test::More;
use Test::WsMgr;
use Test::WsMgr::Redis;

our @EXPORT = qw/ nodes /;

my $server = <<'CONF';
    ws_mgr_connections user=100;

    location /ws   { ws_mgr_socket; ws_mgr_ping off; }
    location /api/ { ws_mgr_api events tickets users connections health status
                                metrics broadcast; }
CONF

# n managers by the engine in that Redis (or these).  Options: those of
# manager(), log (of ws_mgr_log), url (in place of the servers' own)
sub nodes {
    my ($n, $redis, %option) = @_;
    my @servers = ref $redis eq 'ARRAY' ? @$redis : $redis;
    my $urls = $option{url} // join "\n", map { "ws_mgr_redis " . $_->unix . ';' }
                                          @servers;
    my $log = $option{log} // 'events=4000 bytes=8m';
    my $more = $option{http} // '';
    my @nodes = map {
        manager($option{server} // $server, workers => 2, %option,
                http => "$urls\nws_mgr_engine redis;\nws_mgr_log $log;\n$more");
    } 1 .. $n;

    for my $node (@nodes) {
        wait_until { $node->watched('health')->{status} eq 'healthy' }
            or croak 'the engine is not healthy';
    }

    return @nodes;
}

1;
