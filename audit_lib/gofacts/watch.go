package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The watch over packages: what reads one may not end, or need more memory than there is, or break, since a type checker
// has its own ways to be made to. Then that package is given up, by name, and the others go on.

const (
	// packageTime is what a package may take besides packageTimePerByte for each byte of its source. Packages as people
	// write them take well under a second for a megabyte.
	packageTime        = 20 * time.Second
	packageTimePerByte = 20 * time.Microsecond
	// heapLimit is what all of the work may keep in memory, or heapShare of the machine's memory where that is less.
	heapLimit = 8 << 30
	heapShare = 0.75
	// exitMemory is the exit code for a heap that has grown past its limit.
	exitMemory = 4
)

var started = time.Now()

// A watch knows which packages are being read. What it prints to standard error, `reading PATH` and `read PATH`, tells
// who runs the helper which of them it broke at.
type watch struct {
	mu      sync.Mutex
	reading map[string]int
}

func newWatch() *watch { return &watch{reading: map[string]int{}} }

func (w *watch) begin(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading[path]++
	fmt.Fprintf(os.Stderr, "reading %s\n", path)
}

func (w *watch) end(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reading[path]--; w.reading[path] == 0 {
		delete(w.reading, path)
	}
	fmt.Fprintf(os.Stderr, "read %s\n", path)
}

// names lists the packages that are being read.
func (w *watch) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := make([]string, 0, len(w.reading))
	for name := range w.reading {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// within does some work on a package, and gives up on it when it takes longer than its size allows, or panics: the
// error says why. What is given up goes on in the background until the process ends.
func (w *watch) within(path string, allowed time.Duration, work func()) error {
	done := make(chan error, 1)
	w.begin(path)
	go func() {
		defer func() {
			if broken := recover(); broken != nil {
				done <- brokenAt(broken)
			}
		}()
		work()
		done <- nil
	}()
	since, before := time.Now(), worked()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			w.end(path)
			return err
		case <-look.C:
			// A busy machine is no fault of the package: both clocks must say so. It stays among those that are read,
			// since the heap may still grow because of it.
			if time.Since(since) > allowed && worked()-before > allowed {
				return fmt.Errorf("checking its types takes longer than %d s", int(allowed.Seconds()))
			}
		}
	}
}

// brokenAt says what a panic says, without the places of this machine.
func brokenAt(broken any) error {
	if gone, costly := broken.(tooCostly); costly {
		return errors.New(gone.reason)
	}
	return fmt.Errorf("checking its types fails (%s)", firstLine(fmt.Sprint(broken)))
}

// allowedTime is what reading some files may take.
func allowedTime(files []string) time.Duration {
	allowed := packageTime
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			allowed += time.Duration(info.Size()) * packageTimePerByte
		}
	}
	return min(allowed, 10*packageTime)
}

// guardHeap ends the process when its heap grows past the limit: the machine is others' too. Standard error says which
// packages it was reading.
func (w *watch) guardHeap() {
	limit := heapAllowed()
	debug.SetMemoryLimit(limit / 8 * 7) // work harder to free memory before it comes to that
	used := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			metrics.Read(used)
			if used[0].Value.Uint64()+used[1].Value.Uint64() > uint64(limit) {
				fmt.Fprintf(os.Stderr, "gofacts: it needs more than %d MB of memory while it reads %s\n",
					limit>>20, strings.Join(w.names(), ", "))
				os.Exit(exitMemory)
			}
		}
	}()
}

// heapAllowed is the limit for the heap, in bytes.
func heapAllowed() int64 {
	limit := int64(heapLimit)
	for _, has := range []int64{machineMemory(), groupMemory()} {
		if has > 0 {
			limit = min(limit, int64(heapShare*float64(has)))
		}
	}
	return limit
}

// machineMemory is what the machine has, in bytes, or 0 where that is not known.
func machineMemory() int64 {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(content) {
		if words := strings.Fields(string(line)); len(words) > 1 && words[0] == "MemTotal:" {
			size, _ := strconv.ParseInt(words[1], 10, 64)
			return size << 10
		}
	}
	return 0
}

// groupMemory is what the control group that the process is in may have, in bytes, or 0 where that is not limited.
func groupMemory() int64 {
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if content, err := os.ReadFile(filepath.FromSlash(path)); err == nil {
			size, _ := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
			return size
		}
	}
	return 0
}
