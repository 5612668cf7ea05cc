package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// modFileLimit is how many bytes of a go.mod or go.sum are copied.
const modFileLimit = 4 << 20

// leavesOut tells whether a module is one that must not be read: a folder within a module, too, where that is above.
func (opts options) leavesOut(target, module string) bool {
	for _, folder := range opts.without {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(target, folder)
		}
		if folder == module || liesIn(folder, target) && module == target {
			return true
		}
	}
	return false
}

// liesIn tells whether a path lies below a folder.
func liesIn(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// modFileOf gives the -modfile for the packages of a folder: the one that was asked for, where that is a file of the
// target; with -mod=mod a copy of it, or of go.mod, since the go command then writes to it.
func (opts options) modFileOf(dir string) (string, error) {
	file := opts.modfile
	if file != "" && !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	copies := opts.mod == "mod" && opts.private != ""
	if file == "" && copies {
		file = modFileAbove(dir)
	}
	if file == "" {
		return "", nil
	}
	if opts.modfile != "" {
		if err := inTarget(opts.dir, file); err != nil {
			return "", err
		}
	}
	if !copies {
		return file, nil
	}
	folder, err := os.MkdirTemp(opts.private, "")
	if err != nil {
		return "", err
	}
	for _, name := range []string{file, strings.TrimSuffix(file, ".mod") + ".sum"} {
		if err := copyRegular(name, filepath.Join(folder, filepath.Base(name))); err != nil {
			return "", err
		}
	}
	return filepath.Join(folder, filepath.Base(file)), nil
}

func modFileAbove(dir string) string {
	for {
		file := filepath.Join(dir, "go.mod")
		if _, err := os.Lstat(file); err == nil {
			return file
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// inTarget says what is wrong with a file that is named by the user: it must be regular, and not lie elsewhere.
func inTarget(target, file string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return errors.New("-modfile: " + err.Error())
	}
	top, err := filepath.EvalSymlinks(target)
	if err != nil {
		return err
	}
	if top, err = filepath.Abs(top); err != nil {
		return err
	}
	if info, err := os.Stat(real); err != nil || !info.Mode().IsRegular() || !liesIn(top, real) {
		return fmt.Errorf("-modfile: %s is not a regular file of the target", filepath.Base(file))
	}
	return nil
}

// copyRegular copies a file, if there is one.
func copyRegular(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > modFileLimit {
		return fmt.Errorf("%s is not a regular file of at most %d MiB", filepath.Base(from), modFileLimit>>20)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
