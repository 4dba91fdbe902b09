#!/usr/bin/perl

# What a client says means the same however it comes: whole, in fragments,
# compressed, with pings between, byte by byte.  What is refused goes towards
# the end of the server's patience, whatever kind it is.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = manager(<<'CONF');
    ws_mgr_connections user=off;

    location /ws   { ws_mgr_socket; ws_mgr_message_rate 1000/s burst=1000;
                     ws_mgr_message_size 2000; }
    location /rate { ws_mgr_socket; ws_mgr_message_rate 1/s burst=1; }
    location /api/ { ws_mgr_api; }
CONF

# the message, and how the answer begins
my $error = '{"type":"error","code":';
my @rows = (
    [ text('{"type":"ping","ts":"é中😀"}'),
      qr/^\{"type":"pong",.*,"echo":"é中😀"\}$/ ],
    [ text('{"type":"ping"}' . ' ' x 1985),
      qr/^\{"type":"pong",.*,"echo":null\}$/ ],
    [ text('{"pad":"' . 'x' x 1900 . '","type":"ping","ts":7}'),
      qr/^\{"type":"pong",.*,"echo":7\}$/ ],
    [ text("\n\t {\"type\":\"ping\"}\r\n"), qr/^\{"type":"pong"/ ],
    [ text('{"type":"user_message","ref":"r"}'),
      qr/^\Q$error\E"no_forward",.*,"ref":"r"\}$/ ],
    [ text('{"type":"ack","seq":1}'),
      qr/^\Q$error\E"unknown_event",.*"ref":"ack"\}$/ ],
    (map { [ $_, qr/^\Q$error\E"invalid_message",/ ] }
     text(''), text(' '), text("\0"), text('nonsense'), text('"ping"'),
     text('[{"type":"ping"}]'), text('{"type":"ping"}{"type":"ping"}'),
     text('{"type":"ping",}'), text("{'type':'ping'}"),
     text("\xef\xbb\xbf{\"type\":\"ping\"}"), text('{"type":"ping"'),
     text('{"type":["ping"]}'), text('{"Type":"ping"}'),
     text('{"type":"ping"} //')),
    (map { [ $_, qr/^\Q$error\E"no_forward",.*"ref":null\}$/ ] }
     binary(''), binary('{"type":"ping"}'), binary("\x00\xff\xfe")),
);

my %forms = (
    'whole'               => sub { $_[0] },
    'in fragments'        => sub { fragments($_[0], 5) },
    'with pings between'  => sub { fragments($_[0], 5, ping('p')) },
    'compressed'          => sub { deflated($_[0]) },
    'compressed, in fragments, with pings between'
                          => sub { fragments(deflated($_[0]), 3, ping('p')) },
);

for my $form (sort keys %forms) {
    my $ann = $mgr->connect('ann', extensions => 'permessage-deflate');
    my $eve = $mgr->connect('ann', to => $mgr->unix,
                            extensions => 'permessage-deflate');

    for (@rows) {
        my ($message, $wanted) = @$_;
        my @frames = $forms{$form}($message);

        $ann->raw(bytes(@frames));
        like $ann->next_text, $wanted, Test::WsMgr::Frames::name($message)
                                       . ", $form";
        in_pieces($eve, 1, split //, bytes(@frames));
        like $eve->next_text, $wanted, 'and byte by byte';

        # who does well in between keeps the server's patience
        for ($ann, $eve) {
            $_->say({ type => 'ping' });
            $_->event;
        }
    }

    $_->close(1000) for $ann, $eve;
}

# the thirty-second that is refused is the last, whatever they are
my %bad = (
    nonsense          => [ '/ws', text('nonsense') ],
    binary            => [ '/ws', binary('x') ],
    'nobody forwards' => [ '/ws', text('{"type":"chat"}') ],
    'compressed'      => [ '/ws', deflated(text('nonsense')) ],
    'over the rate'   => [ '/rate', text('{"type":"ping"}') ],
);

for my $name (sort keys %bad) {
    my ($path, $message) = @{ $bad{$name} };
    my $eve = $mgr->connect('eve', path => $path,
                            extensions => 'permessage-deflate');
    my $errors = 0;

    # what is within the rate is a credit of none
    if ($path eq '/rate') {
        $eve->raw(bytes($message));
        is $eve->event->{type}, 'pong', 'one is within the rate';
    }

    $eve->raw(bytes(($message) x 40));

    while (my $text = $eve->next_text) {
        $errors++ if $text =~ /^\Q$error\E/;
    }

    is $errors, 32, "$name: each is told";
    is $eve->closed, 4508, 'and the last is the end';
}

is $mgr->counter('ws_mgr_server_closes_total{cause="bad_messages"}'),
   scalar keys %bad, 'counted';
