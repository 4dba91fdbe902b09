#!/usr/bin/perl

# A worker dies in each section that holds a shard's lock, and in the midst of
# each change there: the shard is made anew, the sockets of the other worker
# are told and go on, what the dead one left is gone, and all is counted right.

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Test::WsMgr;

$ENV{WS_MGR_MODULE} = $ENV{WS_MGR_FAILPOINTS_MODULE} if $ENV{WS_MGR_FAILPOINTS_MODULE};
plan skip_all => 'a build with failpoints: make failpoints'
    if !$ENV{WS_MGR_FAILPOINTS_MODULE} && !$ENV{WS_MGR_ASAN};

# --- the points: each function that unlocks a shard, each "midst" ---

my $sources = "$top/ngx_ws_mgr";
my @points;

for my $file (sort glob "$sources/*/*.c") {
    next if $file =~ /append_ordered/;    # t/nodes/engine_faults.t's
    open my $source, '<', $file or die "$file: $!";
    my $function;

    for (<$source>) {
        $function = $1 if /^(ngx_ws_mgr_\w+)\(/;
        push @points, $function if /\bngx_ws_mgr_shard_unlock\(/;
        push @points, "${function}_midst" if /\bngx_ws_mgr_failpoint_midst\(/;
    }
}

my %seen;
@points = grep { !$seen{$_}++ } @points;

cmp_ok scalar @points, '>', 30, scalar(@points) . ' points';

# outside of the lock: the shard is whole, and nobody has to be told of a reset
my %whole = (ngx_ws_mgr_member_wake_midst => 1);

# what can be reached only after something else
my %after = (
    ngx_ws_mgr_shard_rebuild_midst => 'ngx_ws_mgr_publish_group',
    ngx_ws_mgr_registry_rejoin => 'ngx_ws_mgr_publish_group',
    ngx_ws_mgr_sweep_slice => 'kill',
    ngx_ws_mgr_sweep_slice_midst => 'kill',
);

# --- the manager ---

my $armed = File::Temp->newdir;
chmod 0777, $armed;
$ENV{WS_MGR_FAILPOINTS} = "$armed";

my $mgr = manager(<<'CONF', workers => 2, main => 'env WS_MGR_FAILPOINTS;', http => <<'HTTP');
    location /ws   { ws_mgr_socket; add_header X-Worker $pid always;
                     ws_mgr_connections user=30 address=1000; }
    location /echo { ws_mgr_socket; ws_mgr_forward echo; }
    location /api/ { ws_mgr_api events broadcast tickets users connections
                                status health; }
CONF
    ws_mgr_zone 8m shards=1;
    ws_mgr_log events=8 bytes=400k age=1s;
    ws_mgr_run_timeout 20ms;
HTTP

my %dead;

# pids of workers that died so far
sub bury {
    my @pids = $mgr->log('error.log')
               =~ /worker process (\d+) exited on signal 9/g;

    $mgr->{killed}{$_} = $dead{$_} = 1 for @pids;

    return scalar keys %dead;
}

sub arm { open my $file, '>', "$armed/$_[0]" or die $!; chmod 0666, "$armed/$_[0]" }
sub armed { -e "$armed/$_[0]" }

# one of everything; a worker may die under any of it
my ($sleepy, $seen_sleepy);

sub stir {
    my ($point) = @_;
    my @deeds = (
        sub {
            my $ann = joined('ann', query => 'last_event_id=x-1') or return;

            $ann->text('{"type":"session_restore","position":"a-1"}');
            $ann->text('{"type":"thread_switched","thread_id":"t"}');
            asked('POST', 'events?wait=confirmed&timeout=50',
                  '{"type":"x","user_id":"ann","event_id":"e' . rand() . '"}');
            $ann->text('{"type":"ack","seq":1}');
            asked('POST', 'events', '{"type":"x","user_id":"*"}');
            asked('POST', 'events', '{"type":"agent_started","user_id":"ann",'
                                    . '"run_id":"r' . rand() . '"}');

            while (my $text = $ann->next_text(0.05)) {
                $ann->text('{"type":"event_confirmation","id":"' . $1 . '"}')
                    if $text =~ /^\{"id":"(\w+-b\d+)"/;
            }

            asked('GET', "connections/$ann->{id}");
            asked('DELETE', "connections/$ann->{id}");
            $ann->abort;
        },
        sub {
            my $echo = joined('bob', path => '/echo') or return;

            $echo->text('x');
            asked('DELETE', 'users/bob');
            $echo->abort;
        },
        sub {
            asked('GET', $_) for qw{ users users/eve events/eve status
                                     events/eve?event_id=e
                                     users/nobody?wait=online&timeout=10 };
        },
        sub {
            my $ticket = (asked('POST', 'tickets', '{"user_id":"cat"}') || {})
                         ->{json}{ticket_id} or return;

            asked('GET', "tickets/$ticket");
            asked('DELETE', "tickets/$ticket");
        },
        sub {
            $sleepy = joined('sleepy', to => $mgr->unix)
                if !$sleepy || $seen_sleepy++ % 5 == 0;
            asked('POST', 'events', '{"type":"x","user_id":"sleepy","pad":"'
                                    . 'x' x 180_000 . '"}') for 1 .. 3;
        },
    );

    for my $deed (@deeds) {
        eval { $deed->() };
        return if !armed($point);
    }
}

# a request of a connection of its own, whatever comes of it
sub asked {
    my ($method, $path, $body) = @_;

    return eval {
        $mgr->client->request($method, "/api/$path", $body, Connection => 'close')
    };
}

sub joined {
    my ($user, %option) = @_;
    my $answer = asked('POST', 'tickets', qq/{"user_id":"$user"}/);
    my $ticket = $answer && $answer->{json} && $answer->{json}{ticket_id}
        or return;
    my $socket = eval { $mgr->upgrade(ticket => $ticket, %option) } or return;

    return if ($socket->status // 0) != 101;

    if (($option{path} // '') ne '/echo') {
        my $text = $socket->next_text(1) // return;

        $socket->{id} = $text =~ /"connection_id":"([^"]+)"/ ? $1 : return;
    }

    return $socket;
}

# --- the walk ---

my @eves;
my @late;

for my $point (@points) {
    @eves = grep { !$_->{stream}->eof } @eves;

    # sockets in both workers
    wait_until {
        my $eve = joined('eve') or return;

        push @eves, $eve;
        my %workers = map { $_->worker => 1 } @eves;

        return keys %workers == 2 || @eves > 25;
    } 10;

    my $deaths = bury();
    my $first = $after{$point};

    arm($point);

    if ($first && $first eq 'kill') {
        $mgr->kill_worker(($mgr->workers)[0]);
    } elsif ($first) {
        arm($first);
    }

    wait_until { stir($point); !armed($point) } 10;
    ok !armed($point), "$point: a worker came there" or next;

    eventually { bury() > $deaths + !!$first } 'and died' or next;

    my @alive = grep { !$dead{ $_->worker } } @eves;
    my $start;

    # the post is tried again where it met the dead worker
    wait_until {
        $start = now();
        my $answer = asked('POST', 'events', '{"type":"go_on","user_id":"eve"}');

        return $answer && ($answer->{status} // 0) == 200;
    };

    my ($told, $heard) = (0, 0);

    for my $eve (@alive) {
        while (defined(my $text = $eve->next_text)) {
            $told++ if $text =~ /^\{"type":"stream_reset"/;
            last if $text =~ /"type":"go_on"/ && ++$heard;
        }
    }

    push @late, now() - $start if @alive;

    is $heard, scalar @alive, 'the others go on';
    cmp_ok $told, '>=', @alive, 'and were told' if !$whole{$point};
    eventually {
        my @there = $mgr->connections_of('eve');

        return @there == @alive;
    } 'the registry has them and nobody else', 2;
    eventually {
        my $status = $mgr->status;

        return @{ $status->{workers} || [] } == 2
               && !grep { !$_->{live} } @{ $status->{workers} };
    } 'the slot of the dead is used again', 4;

    @eves = @alive;
}

@late = sort { $a <=> $b } @late;

diag(sprintf 'an event reached the others after %.0f ms (median), %.0f (most)',
     1000 * $late[@late / 2], 1000 * $late[-1]);
cmp_ok $late[@late / 2], '<', patience(0.2), 'soon';

$sleepy->abort if $sleepy;
eventually { $mgr->connections_of('eve') == @eves } 'as many as there are';
is $mgr->counter('ws_mgr_dead_workers_total'), bury(), 'each death was counted';
cmp_ok $mgr->counter('ws_mgr_shards_rebuilt_total'), '>=', @points - 3,
       'and so was each shard that was made anew';
