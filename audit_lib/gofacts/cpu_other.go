//go:build !unix

package main

import "time"

// worked gives how long the process has been running, where its work is not told.
func worked() time.Duration { return time.Since(started) }
