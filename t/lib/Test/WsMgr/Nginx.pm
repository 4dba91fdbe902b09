package Test::WsMgr::Nginx;

# One real nginx: started on a port that the kernel gave, in a directory of
# its own, and held to account when it ends.

use strict;
use warnings;

use Carp qw/ croak /;
use Cwd ();
use File::Temp qw/ tempdir /;
use IO::Socket::INET;
use POSIX qw/ :sys_wait_h /;
use Test::WsMgr::Wait qw/ wait_until /;

my $log_format = '$remote_addr "$request" $status $body_bytes_sent '
               . '$request_time user=$ws_mgr_user conn=$ws_mgr_connection '
               . 'refusal=$ws_mgr_refusal';

# Options: server (the text of a server block), http and main (what stands
# before it), workers, connections, log_level, tls, allow (patterns of error
# log lines that the test provokes)
sub new {
    my ($class, %option) = @_;

    my $self = bless {
        workers     => 1,
        connections => 2048,
        log_level   => 'info',
        server      => '',
        http        => '',
        main        => '',
        allow       => [],
        %option,
        dir         => tempdir('ws_mgr_XXXXXX', TMPDIR => 1, CLEANUP => 1),
        owner       => $$,
        killed      => {},
    }, $class;

    chmod 0755, $self->{dir};
    mkdir $self->path('temp');
    $self->make_certificate if $self->{tls};

    return $self;
}

sub start {
    my $self = new(@_);

    for (1 .. 5) {
        return $self if $self->spawn;
        last if $self->log('stderr') !~ /Address already in use/;
    }

    croak 'nginx did not start: ' . $self->log('stderr');
}

# what nginx -t says of a configuration: exit status and text
sub try {
    my $self = new(@_);

    $self->{port} = $self->{tls_port} = free_port();
    $self->write_config;

    return $self->check;
}

# nginx -t of the configuration that is there: exit code, what it said
sub check {
    my ($self) = @_;

    # nginx -t leaves its memory to the system
    local $ENV{ASAN_OPTIONS} = join ':', grep { length }
                               $ENV{ASAN_OPTIONS} // '', 'detect_leaks=0';

    my $command = join ' ', map { "'$_'" } $self->command, '-t';
    my $said = `$command 2>&1`;

    return ($? >> 8, $said);
}

sub binary { $ENV{WS_MGR_NGINX} || '/usr/sbin/nginx' }

# the project's own folder
sub top { Cwd::abs_path(__FILE__) =~ s{/t/lib/Test/WsMgr/.*}{}r }

# path of the module, or empty where it is linked statically
sub module {
    return $ENV{WS_MGR_MODULE} if defined $ENV{WS_MGR_MODULE};

    my $root = top();
    my ($found) = grep { -e } map { glob "$root/$_" }
                  map { "build$_/ngx_http_ws_mgr_module.so" }
                  '', '/*', '/*/*', '/*/*/*';

    croak 'no ngx_http_ws_mgr_module.so under build/: run make' if !$found;

    return $found;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       LocalPort => 0, Listen => 1);
    return $socket->sockport;
}

# true once it serves; false where it ended at once
sub spawn {
    my ($self) = @_;

    $self->{port} = free_port();
    $self->{tls_port} = free_port() if $self->{tls};
    $self->write_config;

    $self->{pid} = fork;

    if ($self->{pid} == 0) {
        open STDERR, '>', $self->path('stderr');
        open STDOUT, '>&', \*STDERR;
        { exec $self->command }
        POSIX::_exit(127);
    }

    my $state = wait_until {
        return 'ended' if $self->reaped;
        return -S $self->path('watch.sock')
               && $self->workers == $self->{workers} && 'ready';
    } 10;

    return $state eq 'ready';
}

sub command {
    my ($self) = @_;

    return (binary(), '-p', $self->{dir}, '-c', $self->path('nginx.conf'),
            '-e', $self->path('error.log'));
}

sub write_config {
    my ($self) = @_;
    my $dir = $self->{dir};
    my $module = module();
    my $each = $self->{workers} > 1 ? ' reuseport' : '';

    my $load = $module ? "load_module $module;" : '';
    my $tls = $self->{tls}
              ? "listen 127.0.0.1:$self->{tls_port} ssl$each;\n"
                . "        listen unix:$dir/tls.sock ssl;\n"
                . "        ssl_certificate $dir/cert.pem;\n"
                . "        ssl_certificate_key $dir/key.pem;"
              : '';
    my $temp = join "\n    ",
               map { "${_}_temp_path $dir/temp/$_;" }
                   qw/ client_body proxy fastcgi uwsgi scgi /;

    # "watch" is the harness' own window, which no test configures
    $self->write_file('nginx.conf', <<"EOF");
$load
daemon off;
worker_processes $self->{workers};
pid $dir/nginx.pid;
error_log $dir/error.log $self->{log_level};
$self->{main}
events { worker_connections $self->{connections}; }
http {
    $temp
    log_format life '$log_format';
    access_log $dir/access.log life;
    default_type text/plain;
    $self->{http}
    server {
        listen 127.0.0.1:$self->{port}$each;
        listen unix:$dir/http.sock;
        $tls
        $self->{server}
    }
    server {
        listen unix:$dir/watch.sock;
        access_log off;
        location / { ws_mgr_api; }
    }
}
EOF
}

sub write_file {
    my ($self, $name, $text) = @_;

    open my $file, '>', $self->path($name) or croak "$name: $!";
    print $file $text;
    close $file;
    chmod 0644, $self->path($name);

    return $self->path($name);
}

sub make_certificate {
    my ($self) = @_;
    my $dir = $self->{dir};

    system('openssl req -x509 -newkey rsa:2048 -nodes -days 2'
           . " -subj /CN=localhost -keyout $dir/key.pem -out $dir/cert.pem"
           . " 2>$dir/openssl.log") == 0
        or croak 'openssl could not make a certificate';
}

sub path        { "$_[0]{dir}/$_[1]" }
sub address     { "127.0.0.1:$_[0]{port}" }
sub tls_address { "127.0.0.1:$_[0]{tls_port}" }
sub unix        { 'unix:' . $_[0]->path('http.sock') }
sub watch       { 'unix:' . $_[0]->path('watch.sock') }

# the text of "error.log", "access.log" or "stderr"
sub log {
    my ($self, $name) = @_;

    open my $file, '<:raw', $self->path($name) or return '';
    local $/;

    return scalar <$file> // '';
}

# pids of the worker processes, without those that are going away
sub workers {
    my ($self) = @_;

    return grep { title($_) =~ /worker process(?! is shutting)/ }
           $self->children;
}

sub children {
    my ($self) = @_;

    return if !$self->{pid};
    return grep { parent($_) == $self->{pid} }
           map { m{(\d+)$} } glob '/proc/[0-9]*';
}

# 0 where the process is gone
sub parent {
    my ($pid) = @_;

    open my $file, '<', "/proc/$pid/stat" or return 0;

    return (<$file> // '') =~ /^\d+ \(.*\) [^ZX] (\d+) / ? $1 : 0;
}

sub title {
    my ($pid) = @_;

    open my $file, '<', "/proc/$pid/cmdline" or return '';

    return <$file> // '';
}

# Memory of a process in kB, by the name that /proc has for it: "VmHWM", the
# most that there ever was, "VmRSS", or "Pss" of a shared page its share.
sub memory {
    my ($self, $pid, $name) = @_;
    my $file = $name eq 'Pss' ? 'smaps_rollup' : 'status';

    open my $said, '<', "/proc/$pid/$file" or croak "process $pid: $!";
    local $/;

    return <$said> =~ /^$name:\s+(\d+) kB/m ? $1 : croak "no $name";
}

# to new workers, with another configuration where options are given
sub reload {
    my ($self, %change) = @_;
    my %old = map { $_ => 1 } $self->children;

    if (%change) {
        %$self = (%$self, %change);
        $self->write_config;
    }

    $self->signal('HUP');

    return wait_until {
        my @workers = $self->workers;

        @workers == $self->{workers} && !grep { $old{$_} } @workers;
    } 10;
}

sub kill_worker {
    my ($self, $pid) = @_;

    $self->{killed}{$pid} = 1;

    return kill KILL => $pid;
}

sub signal {
    my ($self, $name) = @_;

    return kill $name => $self->{pid};
}

# takes the exit status of a master that is gone
sub reaped {
    my ($self) = @_;

    return 1 if !$self->{pid};
    return 0 if waitpid($self->{pid}, WNOHANG) != $self->{pid};

    $self->{exit} = $?;
    delete $self->{pid};

    return 1;
}

sub quit {
    my ($self) = @_;

    $self->signal('QUIT') if $self->{pid};

    return wait_until { $self->reaped } 15;
}

# what must not be in the logs of any test
sub faults {
    my ($self) = @_;
    my $allowed = join '|', '(?!)', @{ $self->{allow} };
    my %lines = map { $_ => 1 } grep { !/$allowed/ }
                split /\n/, $self->log('error.log') . $self->log('stderr');

    return grep {
        /\[(?:alert|crit|emerg)\]/ && !$self->{killed}{ dead_of_kill($_) }
        || /process \d+ exited with code [1-9]/
        || /ERROR: (?:Address|Leak|Memory|Thread)Sanitizer/
        || /ngx_ws_mgr.*: runtime error:/
    } sort keys %lines;
}

sub dead_of_kill {
    my ($line) = @_;

    return $line =~ /process (\d+) exited on signal 9/ ? $1 : 0;
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};

    local $?;
    my @children = $self->children;

    kill KILL => $self->{pid}, @children;
    waitpid $self->{pid}, 0;
}

1;
