#!/usr/bin/perl

# Clients that others have written: each connects with a ticket, talks whole
# and in fragments, pings, hears events, and says goodbye or hears it; with
# compression where it has that.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $built = $ENV{WS_MGR_CLIENTS} ||= "$top/build/clients";
my $sources = "$top/t/websocket/peers";

# How each is started, and what it can: compress, and then take what is not
# compressed (libwebsockets loops over it for ever before 4.4: its issues 2749
# and 2794).
my %clients = (
    'python3-websockets' => {
        command => [ '/usr/bin/python3', "$sources/py_websockets.py" ],
        deflate => 'mixed',
    },
    'python3-websocket' => {
        command => [ '/usr/bin/python3', "$sources/py_websocket.py" ],
    },
    'libwebsockets' => {
        command => [ "$built/lws" ],
        deflate => 'only',
    },
    'ws from npm' => {
        command => [ 'node', "$sources/ws.js" ],
        deflate => 'mixed',
    },
);

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_deflate on min=1; }
    location /echo { ws_mgr_socket; ws_mgr_deflate on min=1;
                     ws_mgr_forward echo; ws_mgr_message_size 1m; }
    location /api/ { ws_mgr_api; }
CONF

# A client that does the commands one after the other, and tells a line of each
# thing that it hears.  It is given a ticket, in the subprotocol.
sub start {
    my ($client, $path, $deflate, $ticket, @commands) = @_;

    open my $said, '-|', 'timeout', patience(30), @{ $client->{command} },
        "ws://" . $mgr->address . $path, $ticket,
        $deflate ? 'deflate' : 'plain', @commands
        or die "$client->{command}[0]: $!";

    return $said;
}

sub lines {
    my ($said) = @_;
    my @lines = map { chomp; $_ } <$said>;

    close $said;
    diag("it ended with $?") if $?;

    return @lines;
}

# the line that the access log has of a socket's life
sub life {
    my ($user) = @_;

    return wait_until {
        (grep { /"WEBSOCKET .* user=\Q$user\E / }
         split /\n/, $mgr->log('access.log'))[-1];
    };
}

my $n = 0;
my $long = 'one and the same again ' x 400;

# what is said to /echo, and the line that is heard then
my @echoed = (
    [ "text:$long", "text $long" ],
    [ 'binary:100000', 'binary 100000 True' ],
    [ "parts:$long,$long,$long", "text $long$long$long" ],
);

my @small = (
    [ 'text:Hello é中😀', 'text Hello é中😀' ],
    [ 'text:', 'text ' ],
    [ 'binary:0', 'binary 0 True' ],
    [ 'binary:125', 'binary 125 True' ],
    [ 'binary:126', 'binary 126 True' ],
    [ 'parts:in ,three ,parts', 'text in three parts' ],
    [ 'ping:now', 'pong now' ],
);

sub talks {
    my ($client, $deflate) = @_;
    my $user = 'user' . $n++;
    my @rows = ((grep { ($client->{deflate} // '') ne 'only' || !$deflate }
                 @small), @echoed);
    my $received = $mgr->counter('ws_mgr_received_bytes_total');

    my @heard = lines(start($client, '/echo', $deflate, $mgr->ticket($user),
        map({ $_->[0] =~ /^ping/ ? $_->[0] : ($_->[0], 'receive') } @rows),
        'close:4000,goodbye'));

    like shift @heard, qr/^open ws-mgr\.v1/, 'open';
    is_deeply [ splice @heard, 0, @rows ], [ map { $_->[1] } @rows ],
              'whatever it says is echoed';
    like life($user), qr/ close=4000 by=client/, 'and it said goodbye';

    # of what repeats itself little is left
    $received = $mgr->counter('ws_mgr_received_bytes_total') - $received;
    cmp_ok $received, $deflate ? '<' : '>', 20_000,
           "$received bytes were received";
}

# what is posted, and a goodbye of the server's
sub listens {
    my ($client, $deflate) = @_;
    my $user = 'user' . $n++;
    my $mixed = !$deflate || $client->{deflate} ne 'only';
    my @events = map { { %$_, pad => "\x{e9}\x{4e2d}\x{1f600} $long" } }
                 agent_run($user, 'run');
    my $spoken = $mgr->counter('ws_mgr_messages_received_total');
    my $said = start($client, '/ws', $deflate, $mgr->ticket($user), 'receive',
                     $mixed ? ('text:{"type":"ping","ts":7}', 'receive')
                            : 'text:{"type":"thread_switched","thread_id":"t"}',
                     ('receive') x (@events + 1));

    eventually { $mgr->counter('ws_mgr_messages_received_total') > $spoken }
               'it has spoken' or return;

    my @ids = map { $mgr->post($_)->{id} } @events;
    my ($connection) = map { $_->{connection_id} } $mgr->connections_of($user);

    eventually {
        ($mgr->watched("connections/$connection") || {})->{sent} eq $ids[-1];
    } 'all is sent';
    $mgr->api(DELETE => "connections/$connection");

    my @heard = lines($said);

    like shift @heard, qr/^open ws-mgr\.v1/, 'open';
    like shift @heard, qr/^text \{"type":"connection_established"/, 'welcomed';
    like shift @heard, qr/^text \{"type":"pong",.*"echo":7\}$/, 'a pong'
        if $mixed;

    for my $event (@events) {
        my $heard = decode((shift @heard // '{}') =~ s/^text //r);

        is delete $heard->{id}, shift @ids, $event->{type};
        delete @$heard{qw/ seq ts /};
        is_deeply $heard, $event, 'as posted';
    }

    like shift @heard // '', qr/^closed 4005 /, 'and sent away';
    is_deeply \@heard, [], 'nothing else';
}

for my $name (sort keys %clients) {
    my $client = $clients{$name};

    SKIP: {
        if ($name =~ /npm/ && -e "$built/without-ws") {
            open my $why, '<', "$built/without-ws";
            skip scalar(<$why>), 1;
        }

        for my $deflate (0, $client->{deflate} ? 1 : ()) {
            subtest $deflate ? "$name, compressed" : $name, sub {
                talks($client, $deflate);
                listens($client, $deflate);
            };
        }

        # a ticket that is none
        local $client->{command} = [ 'sh', '-c', 'exec "$@" 2>&1', 'sh',
                                     @{ $client->{command} } ];
        my $said = start($client, '/ws', 0, 'x' x 43, 'receive');

        like join(' ', <$said>), qr/401|unauthorized/, 'refused, and told so';
    }
}
