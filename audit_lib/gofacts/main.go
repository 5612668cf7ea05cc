// Gofacts loads the Go packages below a folder and prints the facts that a judgement of their context roots needs:
// functions, calls, dispatch, contexts in scope and the sites themselves, as JSON Lines in sorted order.
//
// It loads the module's packages from source, tests included, one at a time against the export data of what they
// import, so memory does not grow with the number of packages. Facts of a package are cached by content. Lines of
// standard error that begin with "progress" say how many packages are read, of how many; "reading" and "read" name them.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

type options struct {
	dir     string
	tags    string
	mod     string
	modfile string
	cache   string
	compile string
	wide    bool
	watch   bool
	private string
	without folders
	skip    []string
}

// folders is the value of a flag that may be repeated.
type folders []string

func (f *folders) String() string { return strings.Join(*f, " ") }

func (f *folders) Set(folder string) error {
	*f = append(*f, folder)
	return nil
}

func main() {
	var opts options
	flag.StringVar(&opts.dir, "dir", ".", "the folder whose packages are read")
	flag.StringVar(&opts.tags, "tags", "", "build tags, separated by commas")
	flag.StringVar(&opts.mod, "mod", "", "the -mod flag of the go command")
	flag.StringVar(&opts.modfile, "modfile", "", "the -modfile flag of the go command")
	flag.StringVar(&opts.cache, "cache", "", "the folder that keeps facts of packages between runs")
	flag.StringVar(&opts.compile, "compile", "auto", "types of imports from compiled packages: auto, always, never")
	flag.BoolVar(&opts.wide, "wide", false, "print also what cannot reach a site, with a + before its kind")
	flag.StringVar(&opts.private, "private", "", "an empty folder: where it is named, -mod=mod writes to copies in it")
	flag.Var(&opts.without, "without", "a module's folder that is not read, absolute or relative to -dir; may be repeated")
	flag.BoolVar(&opts.watch, "watch", false, "end, with all that was started, when standard input ends")
	flag.Func("skip", "a package that is not read; may be repeated", func(path string) error {
		opts.skip = append(opts.skip, path)
		return nil
	})
	flag.Parse()
	if opts.watch {
		go endWith(os.Stdin)
	}
	// Two packages are checked at a time and their trees are garbage at once: a small heap costs little time.
	debug.SetGCPercent(75)
	if err := run(opts); err != nil {
		fmt.Fprintln(os.Stderr, "gofacts: "+strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

func run(opts options) error {
	target, err := load(opts)
	if err != nil {
		return err
	}
	program, err := extractAll(target, newStore(opts.cache))
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	joined, err := link(program)
	if err != nil {
		return err
	}
	if err := emit(out, target, joined, opts.wide); err != nil {
		return err
	}
	return out.Flush()
}

// endWith ends this program and the go commands that it has started when a pipe ends: who held it is gone.
func endWith(pipe io.Reader) {
	_, _ = io.Copy(io.Discard, pipe)
	endSession()
	os.Exit(1)
}
