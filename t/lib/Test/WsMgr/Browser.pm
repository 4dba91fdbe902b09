package Test::WsMgr::Browser;

# Stories in a real browser: t/browser/NAME.mjs runs them, its tests are ours,
# and it asks for what only this side can do.

use strict;
use warnings;

use Carp qw/ croak /;
use Cwd qw/ abs_path /;
use Exporter qw/ import /;
use File::Basename qw/ dirname /;
use File::Copy qw/ copy /;
use IPC::Open2 qw/ open2 /;
use Test::More;

our @EXPORT = qw/ browse clients_dir share_files /;

my $root = abs_path(dirname(__FILE__) . '/../../../..');

# where npm's packages are, or undef where they are not
sub clients_dir {
    my $dir = $ENV{WS_MGR_CLIENTS} || "$root/build/clients";

    return -d "$dir/node_modules/playwright-core" ? $dir : undef;
}

# copies of files of the project, where a worker can read them
sub share_files {
    my ($to, @files) = @_;

    mkdir $to;
    chmod 0755, $to;

    for my $file (@files) {
        my $name = $file =~ s{.*/}{}r;

        copy("$root/$file", "$to/$name") or croak "$file: $!";
        chmod 0644, "$to/$name";
    }
}

# runs the script at that address; asked is what may be asked for
sub browse {
    my ($name, $base, %asked) = @_;

    local %ENV = (%ENV, WS_MGR_BASE => $base, WS_MGR_CLIENTS => clients_dir());

    my $pid = open2(my $out, my $in, 'node', "$root/t/browser/$name.mjs");
    my $n;

    while (my $line = <$out>) {
        chomp $line;

        if ($line =~ /^> (\w+) ?(.*)/) {
            my $answer = $asked{$1}->(split / /, $2);

            print $in +($answer // 'ok') . "\n";
            $in->flush;
        } elsif ($line =~ /^(ok|not ok) (.*)/) {
            ok $1 eq 'ok', $2;
        } elsif ($line =~ /^done (\d+)/) {
            $n = $1;
        } else {
            diag $line;
        }
    }

    waitpid $pid, 0;
    ok defined $n && $n > 0, "$name: to the end";
}

1;
