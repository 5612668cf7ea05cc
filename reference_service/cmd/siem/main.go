// Command siem runs the service, and does for its data directory what needs no
// running service.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{out: os.Stdout, errs: os.Stderr, getenv: os.Getenv}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// program is one invocation: where it writes to and what surrounds it.
type program struct {
	out    io.Writer
	errs   io.Writer
	getenv func(string) string
}

// command is one verb.
type command struct {
	name    string
	args    string
	summary string
	run     func(p *program, ctx context.Context, cfg *config, args []string) error
	remote  bool // needs no data directory
}

var commands = []command{
	{name: "serve", args: "", summary: "answer requests until a signal comes", run: (*program).serve},
	{name: "migrate", args: "", summary: "bring the database up to date, and list its migrations", run: (*program).migrate},
	{name: "user", args: "NAME [ROLE...]", summary: "add a user; the password is read from standard input", run: (*program).addUser},
	{name: "passwd", args: "NAME", summary: "set a user's password, read from standard input", run: (*program).setPassword},
	{name: "import", args: "FILE...", summary: "store events from files of JSON or syslog lines", run: (*program).importEvents},
	{name: "rules", args: "FILE...", summary: "store rules from files with a JSON array", run: (*program).importRules},
	{name: "export", args: "FILE", summary: "write all events to a file, one JSON object a line", run: (*program).export},
	{name: "disable", args: "NAME", summary: "lock a user out, and end their logins", run: (*program).disable},
	{name: "key", args: "NAME PERMISSION...", summary: "add a key for a program, and print its secret", run: (*program).addKey},
	{name: "tenant", args: "NAME EVENTS", summary: "add a tenant that may take in so many events a day", run: (*program).addTenant},
	{name: "hunt", args: "", summary: "run all hunts once", run: (*program).hunt},
	{name: "report", args: "PLAN FILE", summary: "make a report, and write it to a file", run: (*program).report},
	{name: "letters", args: "", summary: "list the events that could not be evaluated, and forget them", run: (*program).letters},
	{name: "restore", args: "FILE", summary: "put a backup in place of the database, which is kept beside it", run: (*program).restore},
	{name: "scaffold", args: "", summary: "print a program that sends events with package client", run: (*program).scaffold, remote: true},
	{name: "sweep", args: "", summary: "apply the retention policies once", run: (*program).sweep},
	{name: "backup", args: "FILE", summary: "write a consistent copy of the database", run: (*program).backup},
	{name: "check", args: "", summary: "look for damage in the database and in the audit log", run: (*program).check},
	{name: "probe", args: "URL", summary: "ask a running service whether it is ready", run: (*program).probe, remote: true},
}

// errUsage is a call that makes no sense; what is wrong was written already.
var errUsage = errors.New("usage")

// run carries out a command line and returns the exit code: 0 done, 1 failed, 2
// wrong usage or configuration.
func (p *program) run(ctx context.Context, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		p.usage()
		return 0
	}
	for _, c := range commands {
		if c.name == args[0] {
			return p.runCommand(ctx, c, args[1:])
		}
	}
	p.complain("there is no command %q; siem help lists them", args[0])
	return 2
}

func (p *program) runCommand(ctx context.Context, c command, args []string) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(p.errs)
	usage, data := "siem "+c.name, new(string)
	if !c.remote {
		usage += " [-data DIR]"
		data = flags.String("data", p.getenv("SIEM_DATA"), "directory of the database and the secrets (SIEM_DATA)")
	}
	usage = strings.TrimSpace(usage + " " + c.args)
	flags.Usage = func() {
		p.printf("usage: %s\n\n%s\n\n", usage, c.summary)
		flags.SetOutput(p.out)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if c.args == "" && flags.NArg() > 0 {
		p.complain("%s takes no %q; usage: %s", c.name, flags.Arg(0), usage)
		return 2
	}
	cfg := &config{}
	if !c.remote {
		var err error
		if cfg, err = loadConfig(*data, p.getenv); err != nil {
			p.complain("%v", err)
			return 2
		}
	}
	cfg.log = slog.New(slog.NewTextHandler(p.errs, &slog.HandlerOptions{Level: cfg.logLevel}))
	switch err := c.run(p, ctx, cfg, flags.Args()); {
	case errors.Is(err, errUsage):
		p.complain("usage: %s", usage)
		return 2
	case err != nil:
		p.complain("%s: %v", c.name, err)
		return 1
	}
	return 0
}

func (p *program) usage() {
	p.printf("siem collects events, finds what is wrong in them, and does something about it.\n\nusage: siem COMMAND [-data DIR] [ARGUMENT...]\n\n")
	for _, c := range commands {
		p.printf("  %-9s %-20s %s\n", c.name, c.args, c.summary)
	}
	p.printf("\nsiem COMMAND --help says more. Settings come from the environment; README.md lists them.\n")
}

func (p *program) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }

func (p *program) complain(format string, args ...any) {
	_, _ = fmt.Fprintf(p.errs, "siem: "+format+"\n", args...)
}
