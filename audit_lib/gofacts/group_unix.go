//go:build unix

package main

import (
	"os"
	"syscall"
)

// endGroup kills this program and what it has started, where it was started in a group of its own.
func endGroup() {
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
}
