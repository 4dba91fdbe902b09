#!/usr/bin/perl

# contrib/: Prometheus takes the rules, and they fire when they should; the
# dashboard and the rules name metrics that there are; logrotate takes its file.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $contrib = "$top/contrib";

sub slurp {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;

    return scalar <$file>;
}

my %known = map { $_ => 1 } slurp("$top/docs/metrics.md")
            =~ /^\| `(\w+)`/mg;

cmp_ok scalar(keys %known), '>', 40, 'metrics are known';

for my $file ("$contrib/grafana/ws_mgr.json",
              "$contrib/prometheus/ws_mgr.rules.yml")
{
    my %named = map { s/_(?:bucket|sum|count)$//r => 1 }
                slurp($file) =~ /\b(ws_mgr_\w+)(?=[{\[)(]| [\/<>=])/g;

    delete @named{grep { /_json$/ } keys %named};
    cmp_ok scalar(keys %named), '>', 5, "$file names metrics";
    is_deeply [ grep { !$known{$_} } sort keys %named ], [], 'that there are';
}

my $board = decode(slurp("$contrib/grafana/ws_mgr.json"));

is scalar(grep { !@{ $_->{targets} } } @{ $board->{panels} }), 0,
   'each panel shows something';

SKIP: {
    skip 'no promtool', 3 if !-x '/usr/bin/promtool';

    for ('check rules ws_mgr.rules.yml', 'test rules ws_mgr.test.yml',
         'check config --syntax-only scrape.yml')
    {
        my $said = `cd $contrib/prometheus && promtool $_ 2>&1`;

        is $?, 0, "promtool $_" or diag $said;
    }
}

SKIP: {
    skip 'no logrotate', 1 if !-x '/usr/sbin/logrotate';

    my $said = `/usr/sbin/logrotate -d $contrib/logrotate/ws-mgr 2>&1`;

    is $?, 0, 'logrotate' or diag $said;
    unlike $said, qr/error/i, 'without an error';
}

done_testing;
