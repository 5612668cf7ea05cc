package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// An inside is a folder out of which no file is read: files are opened by ways that stay in it, however they have
// changed since they were listed, and are regular and of bounded size.
type inside struct {
	dir  string // absolute, symbolic links resolved
	root *os.Root
}

func newInside(dir string) (*inside, error) {
	root, err := os.OpenRoot(dir)
	return &inside{dir, root}, err
}

// read gives the content of a file by its absolute path in the folder. An error is one reason, without names.
func (in *inside) read(file string) ([]byte, error) {
	source, err := in.open(file)
	if err != nil {
		return nil, err
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
	content := make([]byte, info.Size())
	got, err := io.ReadFull(source, content)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, errors.New(reasonOf(err))
	}
	return content[:got], nil
}

func (in *inside) open(file string) (*os.File, error) {
	source, err := in.openAt(file)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return source, asReason(err)
	}
	end, err := filepath.EvalSymlinks(file) // a root takes no absolute links, though they may lead into it
	if err != nil {
		return nil, asReason(err)
	}
	if !isBelow(in.dir, end) {
		return nil, errors.New(leadsOut)
	}
	source, err = in.openAt(end)
	return source, asReason(err)
}

func (in *inside) openAt(file string) (*os.File, error) {
	rel, err := filepath.Rel(in.dir, file)
	if err != nil {
		return nil, err
	}
	return in.root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func asReason(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(reasonOf(err))
}

// read gives the content of a file, of the target or of what it needs.
func (t *target) read(file string) ([]byte, error) {
	if !isBelow(t.dir, file) {
		return os.ReadFile(file)
	}
	content, err := t.files.read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.relative(file), err)
	}
	return content, nil
}
