#!/usr/bin/perl

# tools/ws-mgr-verify: says that a good deployment is good, and of others what
# is wrong with them.

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Test::WsMgr;

my $mgr = manager(<<'CONF', tls => 1);
    location /ws     { ws_mgr_socket; }
    location /soft   { ws_mgr_socket; ws_mgr_refuse close; }
    location /any    { ws_mgr_socket; ws_mgr_origin any; }
    location /limit  { ws_mgr_socket; ws_mgr_permission admin; }
    location /idle   { ws_mgr_socket; ws_mgr_session_age 300ms; }
    location /api/   { ws_mgr_api; }
    location /closed/ { ws_mgr_api; deny all; }
    location /proxied { proxy_pass http://$server_addr:$server_port/ws;
                        proxy_http_version 1.1; }
CONF

my ($at, $tls) = ($mgr->address, $mgr->tls_address);

sub verify {
    my (@arguments) = @_;

    open my $out, '-|', '/usr/bin/python3', "$top/tools/ws-mgr-verify",
         '--wait', 0.5, @arguments or die $!;
    my $said = do { local $/; <$out> } // '';

    close $out;
    return ($? >> 8, $said);
}

my @api = ('--api', "http://$at/api/");

for (["ws://$at/ws", @api], ["ws://$at/soft", @api],
     ["wss://$tls/ws", @api, '--insecure'])
{
    my ($exit, $said) = verify(@$_);

    is $exit, 0, "$_->[0]: good" or diag $said;
    unlike $said, qr/FAILED/, 'and says so';
}

my ($exit, $said) = verify("ws://$at/ws", '--ticket', $mgr->ticket('ann'));

is $exit, 0, 'with a ticket and without the API' or diag $said;
like $said, qr/^ok +upgrade: user ann/m, 'as that user';
like $said, qr/^- +delivery: needs --api/m, 'what needs it is left out';

($exit, $said) = verify("ws://$at/ws", @api, '--json');
my $json = decode($said);

is $exit, 0, '--json';
ok $json->{ok}, 'ok';
is scalar(grep { $_->{result} eq 'ok' } @{ $json->{checks} }), 9, 'all but TLS';

for (
    [ [ "ws://$at/nowhere", @api ], qr/FAILED refusal: .*404/,
      qr/no ws_mgr_socket at this path/ ],
    [ [ "ws://127.0.0.1:1/ws" ], qr/FAILED reachable: .*refused/,
      qr/does nginx run/ ],
    [ [ "wss://$tls/ws", @api ], qr/FAILED reachable: TLS|FAILED TLS|FAILED reachable/,
      qr/certificate/ ],
    [ [ "ws://$at/any", @api ], qr/FAILED origin: .*not refused/,
      qr/ws_mgr_origin is "any"/ ],
    [ [ "ws://$at/limit", @api ], qr/FAILED upgrade: refused: 403 forbidden/, qr// ],
    [ [ "ws://$at/idle", @api ], qr/FAILED idle: .*did not live/,
      qr/proxy_read_timeout/ ],
    [ [ "ws://$at/ws", '--api', "http://$at/closed/" ],
      qr/FAILED upgrade: the API answered 403/, qr/its "allow"/ ],
    [ [ "ws://$at/ws", '--api', "http://$at/nowhere/" ],
      qr/FAILED upgrade: the API answered 404 and no JSON/, qr/is --api/ ],
    [ [ "ws://$at/ws", '--ticket', 'x' x 43 ],
      qr/FAILED upgrade: refused: 401 ticket_invalid/, qr/not in the store/ ],
    [ [ "ws://$at/proxied", @api ], qr/FAILED refusal: .*426 upgrade_required/,
      qr/proxy_http_version/ ],
) {
    my ($arguments, $what, $advice) = @$_;

    ($exit, $said) = verify(@$arguments);
    is $exit, 1, "@$arguments: not good";
    like $said, $what, 'what is wrong';
    like $said, $advice, 'and what to do';
}
