package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// endSession kills what this program has started, where it was started in a session of its own. The
// go commands are in groups of their own.
func endSession() {
	for range 100 {
		members := sessionOf(os.Getpid())
		if len(members) == 0 {
			return
		}
		for _, pid := range members {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// sessionOf lists the other processes of a session that run.
func sessionOf(leader int) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil || pid == leader {
			continue
		}
		data, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		// After the program's name, which can hold all characters: state, parent, group, session.
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		if len(fields) > 3 && string(fields[3]) == strconv.Itoa(leader) && string(fields[0]) != "Z" {
			found = append(found, pid)
		}
	}
	return found
}
