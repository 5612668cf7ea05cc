package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
)

func TestOnlyTheLastCopiesStay(t *testing.T) {
	b, dir := siemtest.New(t), t.TempDir()
	checked := 0
	k := NewKeeper(b.DB, func(context.Context, string) ([]string, error) { checked++; return nil, nil }, dir, 2, "", b.Log)
	for range 4 {
		b.OK(k.round())
		time.Sleep(2 * time.Millisecond) // their names have milliseconds
	}
	copies, err := k.Copies(t.Context())
	b.OK(err)
	files, err := os.ReadDir(dir)
	b.OK(err)
	if len(copies) != 2 || len(files) != 4 || checked != 4 || copies[0].SHA256 == "" {
		t.Errorf("copies %+v, %d files, %d checked", copies, len(files), checked)
	}
	b.OK(os.WriteFile(filepath.Join(dir, copies[0].Name), []byte("x"), 0o600))
	wrong, err := k.Verify(t.Context(), copies[0].Name)
	b.OK(err)
	if len(wrong) != 1 {
		t.Errorf("wrong: %v", wrong)
	}
	for name, code := range map[string]string{"../siem-x.db": core.CodeInvalid, "siem-none.db": core.CodeNotFound} {
		if _, err := k.Verify(t.Context(), name); core.ErrorCode(err) != code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := k.Upload(copies[1].Name); core.ErrorCode(err) != core.CodeUnavailable {
		t.Errorf("with no target: %v", err)
	}
	k.check = func(context.Context, string) ([]string, error) { return nil, errors.New("disk on fire") }
	if err := k.round(); err == nil {
		t.Error("a copy that can't be checked counts as good")
	}
	k.Start(time.Hour)
	k.Stop()
}
