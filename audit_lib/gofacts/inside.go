package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"
)

// isBelow tells whether a path is a folder or in it, by their names.
func isBelow(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// recorded is a file's name as records and JSON hold it: each byte that is not UTF-8 as \xNN, and so that it can be
// told back, the backslash of a name that looks like that as \x5c.
func recorded(name string) string {
	if utf8.ValidString(name) && !strings.Contains(name, `\x`) {
		return name
	}
	var text strings.Builder
	for i := 0; i < len(name); {
		char, size := utf8.DecodeRuneInString(name[i:])
		if char == utf8.RuneError && size == 1 || looksEscaped(name[i:]) {
			fmt.Fprintf(&text, `\x%02x`, name[i])
		} else {
			text.WriteString(name[i : i+size])
		}
		i += size
	}
	return text.String()
}

func looksEscaped(text string) bool {
	return len(text) >= 4 && text[:2] == `\x` && isHex(text[2]) && isHex(text[3])
}

func isHex(char byte) bool { return '0' <= char && char <= '9' || 'a' <= char && char <= 'f' }

// read gives the content of a file. One of the target is opened by ways that stay in it, however it has changed since
// it was listed, and must be regular and of bounded size.
func (t *target) read(file string) ([]byte, error) {
	if !isBelow(t.dir, file) {
		return os.ReadFile(file)
	}
	content, err := readInside(t.dir, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", t.relative(file), err.Error())
	}
	return content, nil
}

func readInside(dir, file string) ([]byte, error) {
	end, err := filepath.EvalSymlinks(file) // a root takes no absolute links
	if err != nil {
		return nil, errors.New(reasonOf(err))
	}
	if !isBelow(dir, end) {
		return nil, errors.New(leadsOut)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.New(reasonOf(err))
	}
	defer root.Close()
	rel, err := filepath.Rel(dir, end)
	if err != nil {
		return nil, err
	}
	source, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.New(reasonOf(err))
	}
	defer source.Close()
	info, err := source.Stat()
	switch {
	case err != nil:
		return nil, errors.New(reasonOf(err))
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > fileLimit:
		return nil, errors.New(tooLarge(info, fileLimit))
	}
	return io.ReadAll(io.LimitReader(source, fileLimit))
}
