#!/usr/bin/perl

# Redis is not there, comes, dies and comes again: nobody is let in without
# it, who is in stays, and within a second of its being back all is well.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

for my $by ('unix', 'tcp') {
    my $redis = Test::WsMgr::Redis->new(tcp => $by eq 'tcp');

    $redis->{port} = Test::WsMgr::Nginx::free_port();

    my $url = $by eq 'tcp' ? "redis://$redis->{port}" =~ s{//}{//127.0.0.1:}r
                           : $redis->unix;
    my $mgr = manager(<<'CONF', http => "ws_mgr_redis $url;");
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF

    my $closed_to_all = sub {
        my ($when) = @_;
        my $begun = now();
        my @upgrades = map {
            $mgr->begin_upgrade(ticket => 'x' x 43, path => $_)
        } '/ws', '/soft';
        my @asked = map { my $c = $mgr->client; $c->send(@$_); $c }
            [ POST => '/api/tickets', '{"user_id":"ann"}' ],
            map { [ $_ => '/api/tickets/' . 'x' x 43 ] } 'GET', 'DELETE';

        my ($hard, $soft) = map { $_->finish } @upgrades;
        my $answer = $hard->answer;

        $mgr->is_problem($answer, 503, 'ticket_store_unavailable',
                         "$by: $when: 503");
        like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'Retry-After';
        is $soft->closed, 1013, 'softly: 1013';
        is $soft->close_reason, 'Try again later', 'and why';
        $mgr->is_problem($_->answer, 503, 'ticket_store_unavailable',
                         'the API: 503') for @asked;
        cmp_ok now() - $begun, '<', patience(0.45), 'within the deadline';

        my $health = $mgr->watched('health');

        is $health->{status}, 'degraded', 'degraded';
        like "@{ $health->{reasons} }",
             qr/redis \S+: (?:Connection refused|No such file)/,
             'and why' or diag "@{ $health->{reasons} }";
    };

    my $open_within_a_second = sub {
        my ($when) = @_;
        my $begun = now();

        ok wait_until { $mgr->try_issue('ann')->{status} == 201 },
           "$by: $when: open again";
        cmp_ok now() - $begun, '<', patience(1), 'within a second';
        is $mgr->watched('health')->{status}, 'healthy', 'healthy';
    };

    wait_until { $mgr->watched('health')->{status} eq 'degraded' };
    $closed_to_all->('never there');

    ok $redis->spawn, 'Redis begins';
    $open_within_a_second->('there at last');

    my $ann = $mgr->connect('ann');

    for my $round (1, 2) {
        $redis->stop('KILL');
        wait_until { $mgr->watched('health')->{status} eq 'degraded' };
        $closed_to_all->('killed');

        $mgr->post({ type => "round_$round", user_id => 'ann' });
        is $ann->event->{type}, "round_$round", 'who is in hears';

        # long enough for the attempts to have become as rare as they get
        my $attempts = 'ws_mgr_redis_failures_total{cause="connect"}';
        my $before = $mgr->counter($attempts);

        ok wait_until { $mgr->counter($attempts) >= $before + 7 },
           'it is tried again and again' if $round == 2;

        ok $redis->spawn, 'Redis begins again';
        $open_within_a_second->('there again');
    }

    $mgr->counts('ws_mgr_upgrades_total', 1, sub {
        is $mgr->connect('bob')->status, 101, 'and others come in';
    });

    # said once, not at each of the many attempts
    my @said = $mgr->log('error.log') =~ /ws_mgr redis (.*)/g;

    cmp_ok @said, '<=', 12, 'few words' or diag join "\n", @said;
}
