package Test::WsMgr::State::World;

# Where the stateful test takes place: one manager with its events in shared
# memory, or two with one Redis between them; a clock for each of these that
# can be set; and how each can be made to fail.

use strict;
use warnings;

use File::Temp ();
use IO::Socket::INET;
use Test::WsMgr;
use Test::WsMgr::Chaos;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;
use Test::WsMgr::Wait qw/ now patience wait_until readable /;

# REFUSE is "close", where a refused upgrade takes the way of an accepted one.
# Without memory that way may end before the close frame: there it is "http".
# WS_MGR_REFUSE names another mode.
my $server = <<'CONF';
    ws_mgr_connections user=100;
    ws_mgr_deflate on min=32;
    location /ws   { ws_mgr_socket; ws_mgr_ping 2s 2s; ws_mgr_refuse REFUSE;
                     ws_mgr_forward /backend; }
    location /api/ { ws_mgr_api events tickets users connections health status; }
    location /backend { internal; return 204; }
    access_log off;
CONF

my $main = 'env WS_MGR_FAILPOINTS;';
my $http = 'ws_mgr_drain 300ms; keepalive_requests 100000;';

# engine: "shm" or "redis"; room: how many events a log has; faults: where they
# are of memory, it can be refused
sub new {
    my ($class, %option) = @_;
    my $self = bless { lines => {}, %option }, $class;
    my $log = "events=$option{room} bytes=4m";
    my $refuse = $ENV{WS_MGR_REFUSE}
                 || ($option{faults} =~ /^memory/ ? 'http' : 'close');
    my $locations = $server =~ s/REFUSE/$refuse/r;
    my @refused = $option{faults} !~ /^memory/ ? ()
                  : (allow => [ '(?:malloc|calloc|realloc|posix_memalign)\(.*\) failed',
                                'Cannot allocate memory' ]);

    $self->{dir} = File::Temp->newdir;
    chmod 0755, "$self->{dir}";
    $self->{clocks} = [ map { $self->numbers("clock$_") } 0 .. 2 ];
    $self->{memory} = $self->numbers('memory');
    mkdir "$self->{dir}/points";
    $ENV{WS_MGR_FAILPOINTS} = "$self->{dir}/points";

    local $ENV{WS_MGR_MODULE} = $ENV{WS_MGR_FAILPOINTS_MODULE}
        if $option{faults} =~ /^memory/ && $ENV{WS_MGR_FAILPOINTS_MODULE};

    if ($option{engine} eq 'shm') {
        $self->{nodes} = [ $self->with_clock(0, sub {
            manager($locations, workers => 2, log_level => 'notice',
                    main => $main, @refused,
                    http => "ws_mgr_zone 16m; ws_mgr_log $log; $http");
        }) ];

    } else {
        $self->{redis} = $self->with_clock(2, sub { Test::WsMgr::Redis->start });
        $self->{nodes} = [ map {
            $self->with_clock($_, sub {
                nodes(1, $self->{redis}, server => $locations, log => $log,
                      log_level => 'notice', main => $main, http => $http,
                      @refused);
            });
        } 0, 1 ];
    }

    return $self;
}

# --- clocks ---

# a file with two numbers of 64 bits
sub numbers {
    my ($self, $name) = @_;

    open my $file, '+>', "$self->{dir}/$name" or die "$name: $!";
    syswrite $file, pack 'qq', 0, 0;
    chmod 0644, "$self->{dir}/$name";

    return $file;
}

sub set {
    my ($file, @numbers) = @_;

    sysseek $file, 0, 0;
    syswrite $file, pack 'qq', @numbers;
}

# clocks 0 and 1 are the nodes', 2 is Redis', which is never short of memory
sub with_clock {
    my ($self, $i, $block) = @_;
    my $units = $ENV{WS_MGR_UNITS} || "$top/build/nginx/t";
    my @preload = "$units/preload/clock.so";

    # a sanitizer has an allocator of its own
    push @preload, "$units/preload/memory.so"
        if $self->{faults} =~ /^memory/ && $i < 2 && !$ENV{WS_MGR_ASAN};

    -e or die "no $_: make units" for @preload;

    local $ENV{WS_MGR_CLOCK} = "$self->{dir}/clock$i";
    local $ENV{WS_MGR_MEMORY} = "$self->{dir}/memory";
    local $ENV{LD_PRELOAD} = join ' ', @preload;
    local $ENV{ASAN_OPTIONS} = join ':', grep { length }
        $ENV{ASAN_OPTIONS} // '', 'verify_asan_link_order=0';

    return wantarray ? ($block->())[0] : scalar $block->();
}

# ahead by so many µs; or it stands still
sub set_clock {
    my ($self, $i, $ahead, $stands) = @_;

    set($self->{clocks}[$i], $ahead, $stands // 0);
}

# --- HTTP ---

# one request; { status, json or lines }, status 0 where no answer came
sub ask {
    my ($self, $node, $method, $path, $body) = @_;
    my $text = Test::WsMgr::Chaos::ask({ mgr => $node }, $method, $path, $body);

    return answer($text);
}

sub answer {
    my ($text) = @_;
    my ($status, $body) = $text =~ m{\AHTTP/1.1 (\d+).*?\r\n\r\n(.*)\z}s
        or return { status => 0 };
    my $json = eval { decode($body) };

    return { status => $json ? $status : 0, json => $json, body => $body };
}

# lines as a stream: an answer for each
sub stream {
    my ($self, $node, @lines) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $node->address) or return;
    my ($text, $deadline) = ('', now() + patience());

    syswrite $socket, "POST /api/events HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: application/x-ndjson\r\nConnection: close\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n";
    syswrite $socket, sprintf "%x\r\n%s\n\r\n", 1 + length, $_ for @lines;
    syswrite $socket, "0\r\n\r\n";

    while (readable($socket, $deadline - now())) {
        sysread $socket, $text, 65536, length $text or last;
    }

    return if $text !~ s{\AHTTP/1.1 200.*?\r\n\r\n}{}s;

    $text =~ s/(?:\A|\r\n)[0-9a-f]+\r\n//g;

    return map { eval { decode($_) } } grep { /^\{/ } split /\n/, $text;
}

# --- what fails ---

sub healthy {
    my ($self) = @_;

    return wait_until {
        !grep { ($_->watched('health') || { status => '' })->{status} ne 'healthy' }
              @{ $self->{nodes} };
    } 20;
}

sub reload {
    my ($self, $node) = @_;

    # the master is asked once the last generation is there
    return if $node->workers != $node->{workers};
    $node->forget;
    $node->signal('HUP');
}

sub kill {
    my ($self, $node, $which) = @_;
    my @workers = sort { $a <=> $b } $node->workers;

    return 0 if !@workers;

    $node->kill_worker($workers[$which % @workers]);

    return 1;
}

sub save { $_[0]{redis}->try('SAVE') }

# Redis dies and comes again: with all, with what it had when it saved last, or
# with nothing
sub crash {
    my ($self, $with) = @_;
    my $redis = $self->{redis};

    $redis->signal('CONT');
    $self->save if $with eq 'all';
    $redis->stop;
    unlink "$redis->{dir}/dump.rdb" if $with eq 'nothing';
    $self->with_clock(2, sub { $redis->spawn }) || die 'no redis-server';
}

# one call of malloc() in n
sub refuse_memory {
    my ($self, $n, $seed) = @_;

    set($self->{memory}, $n, $seed // 0);
    $self->{refusing} = $n || -e "$self->{dir}/points/slab";

    return "1 of $n";
}

# one request for shared memory in n, in a build with failpoints
sub refuse_slab {
    my ($self, $n) = @_;
    my $name = "$self->{dir}/points/slab";

    unlink $name;

    if ($n) {
        open my $file, '>', "$name.new" or die "slab: $!";
        print $file $n;
        close $file;
        rename "$name.new", $name;
    }

    $self->{refusing} ||= $n;

    return "1 of $n";
}

# lines that no node may log: those of a worker that died of itself, above all
sub faults {
    my ($self) = @_;

    return map { $_->faults } @{ $self->{nodes} };
}

1;
