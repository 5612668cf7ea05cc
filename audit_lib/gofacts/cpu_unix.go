//go:build unix

package main

import (
	"syscall"
	"time"
)

// worked gives how long the process has been at work on its processors.
func worked() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return time.Since(started)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
