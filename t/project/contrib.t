#!/usr/bin/perl

# contrib/: Prometheus takes the rules, and they fire when they should; the
# dashboard and the rules name metrics that there are; logrotate takes its file.

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
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
    skip 'no logrotate', 5 if !-x '/usr/sbin/logrotate';

    my $said = `/usr/sbin/logrotate -d $contrib/logrotate/ws-mgr 2>&1`;

    is $?, 0, 'logrotate' or diag $said;
    unlike $said, qr/error/i, 'without an error';

    # beside Debian's, with the log of conf.example in its place
    my $dir = File::Temp::tempdir(CLEANUP => 1);
    my ($log) = slurp("$top/conf.example") =~ m{access_log /var/log/(\S+)};
    my $own = '/var/log/nginx/*.log { daily }';
    my $ours = slurp("$contrib/logrotate/ws-mgr");

    mkdir "$dir/$_" for 'nginx', 'ws_mgr';

    for ([ debian => $own ], [ ours => $ours ]) {
        open my $file, '>', "$dir/$_->[0]" or die $!;
        print $file $_->[1] =~ s{/var/log}{$dir}gr;
        close $file;
        chmod 0644, "$dir/$_->[0]";
    }

    for my $file ($log, 'ws_mgr/access.log') {
        open my $made, '>', "$dir/$file" or die "$dir/$file: $!";
    }

    $said = `/usr/sbin/logrotate -d $dir/debian $dir/ours 2>&1`;
    unlike $said, qr/duplicate|error/i, "beside Debian's" or diag $said;
    like $said, qr{considering log \Q$dir/$log\E}, 'which has the example\'s';
    like $said, qr{considering log \S+/ws_mgr/access\.log}, 'and ours has its own';
}

done_testing;
