package Test::WsMgr;

# What a story is told with: a manager inside a real nginx, and the people
# around it, who issue tickets, connect, post and look.
#
#     my $mgr = manager(<<'CONF', workers => 4);
#         location /ws   { ws_mgr_socket; }
#         location /api/ { ws_mgr_api; }
#     CONF
#
#     my $ann = $mgr->connect('ann');
#     $mgr->post({ type => 'hello', user_id => 'ann' });
#     is $ann->event->{type}, 'hello', 'ann hears it';
#
# The end of the file is the end of the story: the harness then closes what
# is open, sees that nobody is left in the registry, ends nginx and reads its
# logs.  There is no done_testing to write.

use strict;
use warnings;
use utf8;

use JSON::PP ();
use List::Util ();
use Scalar::Util ();
use Test::More;
use Test::WsMgr::Http;
use Test::WsMgr::Nginx;
use Test::WsMgr::Wait qw/ now patience wait_until eventually /;
use Test::WsMgr::WebSocket;

our @ISA = 'Test::WsMgr::Nginx';
our $top = Test::WsMgr::Nginx::top();       # the project's own folder
our @EXPORT = qw/ manager encode decode eventually wait_until now patience
                  agent_run /;


my @managers;

sub import {
    my $caller = caller;

    strict->import;
    warnings->import;
    Test::More->export_to_level(1);

    no strict 'refs';
    *{"${caller}::$_"} = \&$_ for @EXPORT;
    *{"${caller}::top"} = \$top;

    $SIG{INT} = $SIG{TERM} = sub { exit 1 };
    srand($ENV{WS_MGR_SEED} ||= int rand 2 ** 31);
}

# the server block's text, then options of Test::WsMgr::Nginx
sub manager {
    my ($server, %option) = @_;
    my $mgr = __PACKAGE__->start(server => $server, %option);

    $mgr->{sockets} = [];
    $mgr->{tickets} = [];
    push @managers, $mgr;

    return $mgr;
}

my $json = JSON::PP->new->canonical->utf8->allow_nonref->allow_bignum;

sub encode { $json->encode(shift) }
sub decode { JSON::PP->new->utf8->allow_nonref->decode(shift) }

# the five events of one run, as an agent posts them
sub agent_run {
    my ($user, $run) = @_;
    my %of = (user_id => $user, run_id => $run, thread_id => "thread of $run");

    return (
        { %of, type => 'agent_started', agent_name => 'planner' },
        { %of, type => 'agent_thinking', data => { thought => 'well …' } },
        { %of, type => 'tool_executing', tool_name => 'search' },
        { %of, type => 'tool_completed', tool_name => 'search',
          data => { results => [ 1, 2, 3 ] } },
        { %of, type => 'agent_completed', data => { status => 'done' } },
    );
}

# --- HTTP ---

# a client of one's own: for requests that overlap
sub client {
    my ($self, %option) = @_;

    return Test::WsMgr::Http->new($option{to} || $self->address, %option);
}

# what the harness keeps open would be lost with a worker
sub forget {
    my ($self) = @_;

    $_->close for grep { $_ } delete @$self{qw/ api watcher /};
}

sub reload {
    my $self = shift;

    $self->forget;

    return $self->SUPER::reload(@_);
}

sub kill_worker {
    my $self = shift;

    $self->forget;

    return $self->SUPER::kill_worker(@_);
}

# the API, through one keep-alive connection: method, path behind /api/, body
# (text, or a structure to be encoded), headers
sub api {
    my ($self, $method, $path, $body, @headers) = @_;

    $self->{api} ||= $self->client;
    $body = encode($body) if ref $body;

    return $self->{api}->request($method, "/api/$path", $body, @headers);
}

# one event, a batch (list) or text, as a POST: the answer
sub try_post {
    my ($self, $event, $query, @headers) = @_;

    $event = { events => $event } if ref $event eq 'ARRAY';

    return $self->api('POST', 'events' . ($query ? "?$query" : ''), $event,
                      @headers);
}

# the same, where it has to work: the result of the (first) event
sub post {
    my $self = shift;
    my $answer = $self->try_post(@_);

    diag("post: $answer->{status} $answer->{body}")
        if $answer->{status} != 200;

    return $answer->{json}{events}[0] || {};
}

# --- tickets and sockets ---

# the answer to a request for a ticket
sub try_issue {
    my ($self, $user, %record) = @_;

    return $self->api('POST', 'tickets', { user_id => $user, %record });
}

# the record of a new ticket, as the answer has it
sub issue {
    my $self = shift;
    my $answer = $self->try_issue(@_);

    diag("ticket: $answer->{status} $answer->{body}")
        if $answer->{status} != 201;

    $self->remember($answer->{json}{ticket_id});

    return $answer->{json};
}

sub ticket {
    my $self = shift;

    return $self->issue(@_)->{ticket_id};
}

# a ticket that no log may ever show
sub remember {
    my ($self, $ticket) = @_;

    push @{ $self->{tickets} }, $ticket if length($ticket // '') >= 16;

    return $ticket;
}

# an upgrade that has been sent, not yet answered; options of WebSocket.pm,
# and: ticket (in the subprotocol), to, query
sub begin_upgrade {
    my ($self, %option) = @_;

    if (defined $option{ticket}) {
        $self->remember($option{ticket});
        $option{protocols} = [ 'ws-mgr.v1', "ticket.$option{ticket}" ];
    }

    $option{path} = ($option{path} || '/ws') . "?$option{query}"
        if defined $option{query};

    my $socket = Test::WsMgr::WebSocket->start(
        $option{to} || ($option{tls} ? $self->tls_address : $self->address),
        %option);

    push @{ $self->{sockets} }, $socket;
    Scalar::Util::weaken($self->{sockets}[-1]);

    return $socket;
}

# any upgrade, whatever comes of it
sub upgrade {
    my $self = shift;

    return $self->begin_upgrade(@_)->finish;
}

# a user's new socket, welcomed; the welcome is in {welcome}
sub connect {
    my ($self, $user, %option) = @_;
    my $socket = $self->upgrade(ticket => $self->ticket($user), %option);

    if ($socket->status != 101) {
        diag("upgrade: $socket->{answer}{status} $socket->{answer}{body}");
        return $socket;
    }

    $socket->{welcome} = $socket->event;
    $socket->{id} = $socket->{welcome}{connection_id};

    return $socket;
}

# --- looking ---

sub watched {
    my ($self, $path) = @_;

    $self->{watcher} ||= $self->client(to => $self->watch);

    return $self->{watcher}->get("/$path")->{json};
}

sub status { $_[0]->watched('status') || {} }

# sum of the counters whose name and labels begin so
sub counter {
    my ($self, $name) = @_;
    my $counters = $self->status->{counters};

    return List::Util::sum0(map { $counters->{$_} }
                            grep { index($_, $name) == 0 } keys %$counters);
}

# runs the block and tests that a counter has gone up by n
sub counts {
    my ($self, $name, $n, $block) = @_;
    my $before = $self->counter($name);

    $block->();

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    wait_until { $self->counter($name) - $before >= $n };
    is($self->counter($name) - $before, $n, "$name counted $n");
}

sub refusal { 'ws_mgr_refusals_total{code="' . $_[1] . '"}' }
sub rejection { 'ws_mgr_events_rejected_total{code="' . $_[1] . '"}' }

# connections of a user, as the registry has them; empty for one not online
sub connections_of {
    my ($self, $user) = @_;
    my $found = $self->watched('users/' . escape($user));

    return @{ $found && $found->{connections} || [] };
}

sub escape {
    return $_[0] =~ s/([^A-Za-z0-9_~-])/sprintf '%%%02X', ord $1/ger;
}

# an RFC 9457 answer with that status and code
sub is_problem {
    my ($self, $answer, $status, $code, $name) = @_;
    my $problem = $answer->{json} || {};

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $sound = $answer->{status} == $status
        && ($problem->{status} // '') eq $status
        && ($problem->{code} // '') eq $code
        && length($problem->{type} // '') && length($problem->{title} // '')
        && length($problem->{detail} // '')
        && $answer->{headers}{'content-type'} eq 'application/problem+json';

    return ok($sound, $name || "$status $code")
           || diag("$answer->{status} $answer->{body}");
}

# --- the end ---

sub finish {
    my ($self) = @_;

    return if $self->{finished}++;

    for my $socket (grep { $_ } @{ $self->{sockets} }) {
        $socket->drop;
    }

    if ($self->{pid}) {
        my $left;

        wait_until {
            my $status = $self->status;

            $left = join ' and ', map { ($status->{$_} // 'unknown') . " $_" }
                                  qw/ users connections /;
            return $left eq '0 users and 0 connections';
        } 10;

        is($left, '0 users and 0 connections', 'nobody is left behind');
    }

    $self->forget;

    ok($self->quit, 'nginx ended');
    is($self->{exit}, 0, 'nginx ended well');

    my @faults = $self->faults;

    ok(!@faults, 'no fault in the logs') || diag(join "\n", @faults);
    is(join(' ', $self->leaks), '', 'no ticket in the logs');
}

# the logs that show a ticket
sub leaks {
    my ($self) = @_;
    my @leaks;

    for my $name (qw/ error.log access.log stderr /) {
        my $text = $self->log($name);

        push @leaks, map { "$name:$_" } grep { index($text, $_) >= 0 }
                     @{ $self->{tickets} };
    }

    return @leaks;
}

END {
    if (@managers && $managers[0]{owner} == $$) {
        my $status = $?;

        $_->finish for $status == 0 ? @managers : ();
        done_testing() if $status == 0;

        if ($ENV{WS_MGR_KEEP} || $status || !Test::More->builder->is_passing) {
            keep($_) for @managers;
        }

        @managers = ();
        $? = $status;
    }
}

# what a failed test leaves to be looked at
sub keep {
    my ($self) = @_;
    my $kept = "$self->{dir}.kept";

    system "cp -r $self->{dir} $kept 2>/dev/null";
    diag("kept: $kept, WS_MGR_SEED=$ENV{WS_MGR_SEED}");
}

1;
