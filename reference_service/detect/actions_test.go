package detect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/siem/core"
)

type fakeRuns struct {
	core.ActionStore
	mu   sync.Mutex
	runs []*core.ActionRun
}

func (f *fakeRuns) RecordRun(run *core.ActionRun) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs = append(f.runs, run)
	return nil
}

type fakePoster struct {
	status int
	err    error
	body   string
}

func (f *fakePoster) Post(_ string, body []byte, _ time.Duration) (int, error) {
	f.body = string(body)
	return f.status, f.err
}

func action(kind, target string) *core.Action {
	return &core.Action{Meta: core.Meta{ID: "a1", Name: "act"}, Kind: kind, Target: target, Timeout: 1}
}

var sample = &core.Alert{ID: "alert_1", Title: "something", Severity: 3}

func TestWebhookOutcomesAreRecorded(t *testing.T) {
	runs, post := &fakeRuns{}, &fakePoster{}
	a := NewActions(runs, post, nil, nil, Allowed{}, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		status int
		err    error
		ok     bool
	}{{204, nil, true}, {500, nil, false}, {0, errors.New("no route to host"), false}} {
		post.status, post.err = c.status, c.err
		if run := a.RunAction(action(core.ActionWebhook, "https://hooks.example"), sample); run.OK != c.ok || run.Detail == "" {
			t.Errorf("%+v: %+v", c, run)
		}
	}
	if len(runs.runs) != 3 || !strings.Contains(post.body, `"id":"alert_1"`) {
		t.Errorf("%d runs, body %s", len(runs.runs), post.body)
	}
	for _, kind := range []string{core.ActionEmail, core.ActionScript} {
		if run := a.RunAction(action(kind, "x"), sample); run.OK || !strings.Contains(run.Detail, "not set up") {
			t.Errorf("%s: %+v", kind, run)
		}
	}
}

func TestScripts(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{
		"echo": "#!/bin/sh\ncat | grep -o alert_1\n",
		"fail": "#!/bin/sh\necho went wrong; exit 3\n",
		"hang": "#!/bin/sh\nsleep 60 &\nsleep 60\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	a := NewActions(&fakeRuns{}, nil, nil, nil, Allowed{Scripts: dir}, slog.New(slog.DiscardHandler))
	for target, want := range map[string]string{
		"echo": "alert_1", "fail": "exit status 3: went wrong", "hang": "stopped after 1s", "../echo": "without a path", "none": "no such file",
	} {
		start := time.Now()
		run := a.RunAction(action(core.ActionScript, target), sample)
		if !strings.Contains(run.Detail, want) || run.OK != (target == "echo") {
			t.Errorf("%s: %+v", target, run)
		}
		if time.Since(start) > 10*time.Second {
			t.Errorf("%s took %s", target, time.Since(start))
		}
	}
}

// mailServer speaks as much SMTP as a mail takes, and stalls at one command.
func mailServer(t *testing.T, stall string) (addr string, mail <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	got := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = fmt.Fprint(conn, "220 test\r\n")
		in := bufio.NewScanner(conn)
		var body strings.Builder
		for data := false; in.Scan(); {
			line := in.Text()
			switch {
			case stall != "" && strings.HasPrefix(line, stall):
				continue
			case !data && line == "QUIT":
				_, _ = fmt.Fprint(conn, "221 bye\r\n")
				return
			case data && line == ".":
				data = false
				got <- body.String()
			case data:
				body.WriteString(line + "\n")
				continue
			case line == "DATA":
				data = true
				_, _ = fmt.Fprint(conn, "354 go on\r\n")
				continue
			}
			_, _ = fmt.Fprint(conn, "250 ok\r\n")
		}
	}()
	return listener.Addr().String(), got
}

func TestMail(t *testing.T) {
	addr, mail := mailServer(t, "")
	if err := NewMailer(addr, "siem@acme.example", nil).Send(t.Context(), "ann@acme.example", "hello", "text"); err != nil {
		t.Fatal(err)
	}
	if got := <-mail; !strings.Contains(got, "Subject: hello") || !strings.Contains(got, "text") {
		t.Errorf("mail: %s", got)
	}
	if err := NewMailer(addr, "x", nil).Send(t.Context(), "ann@acme.example\r\nBcc: eve", "s", "t"); core.ErrorCode(err) != core.CodeInvalid {
		t.Errorf("an address with a header in it: %v", err)
	}
}

func TestStalledMailServerIsLeft(t *testing.T) {
	for _, stall := range []string{"EHLO", "MAIL", "DATA"} {
		addr, _ := mailServer(t, stall)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		start := time.Now()
		err := NewMailer(addr, "a@b.example", nil).Send(ctx, "c@d.example", "s", "t")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
			t.Errorf("%s: %v after %s", stall, err, time.Since(start))
		}
	}
}
