package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const password = "correct-horse-battery"

// TestMain runs the program itself when the tests start it as a child, with the
// name server that a test gives it.
func TestMain(m *testing.M) {
	if os.Getenv("SIEM_TEST_CHILD") == "1" {
		if server := os.Getenv("SIEM_TEST_DNS"); server != "" {
			net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "udp", server)
			}}
		}
		main()
		return
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // they wait more than they work
	os.Exit(m.Run())
}

// siem returns a command that runs the program with a command line.
func siem(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SIEM_TEST_CHILD=1", "SIEM_DATA="+dir, "SIEM_ADDR=127.0.0.1:0", "SIEM_ADMIN_PASSWORD="+password)
	return cmd
}

// instance is a running service, reached only over HTTP.
type instance struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string
	token  string
	errs   bytes.Buffer
	exited chan error
	// pending is how many events waited to be evaluated when busy last asked.
	pending int
}

// serve starts a service on a data directory, and logs in.
func serve(t testing.TB, dir string, env ...string) *instance {
	t.Helper()
	in := &instance{t: t, cmd: siem(t, dir, "serve"), exited: make(chan error, 1)}
	in.cmd.Env = append(in.cmd.Env, env...)
	in.cmd.Stderr = &in.errs
	out, err := in.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := in.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	go func() { in.exited <- in.cmd.Wait() }()
	t.Cleanup(in.end)
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		in.kill()
		t.Fatalf("service did not start: %s", in.errs.String())
	}
	in.url = url
	in.token = in.login("admin", password)
	return in
}

// end kills the service, and fails the test when a race detector that it was
// built with has found something.
func (in *instance) end() {
	in.kill()
	if strings.Contains(in.errs.String(), "DATA RACE") {
		in.t.Error(in.errs.String())
	}
}

func (in *instance) kill() {
	_ = in.cmd.Process.Kill()
	select {
	case <-in.exited:
	case <-time.After(5 * time.Second):
	}
	in.exited <- nil
}

// terminate asks the service to stop and returns how it ended, or false when it
// was still running after a while.
func (in *instance) terminate(within time.Duration) (error, bool) {
	in.t.Helper()
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		in.t.Fatal(err)
	}
	select {
	case err := <-in.exited:
		in.exited <- err
		return err, true
	case <-time.After(within):
		return nil, false
	}
}

func (in *instance) login(username, password string) string {
	in.t.Helper()
	var pair struct {
		AccessToken string `json:"access_token"`
	}
	in.do("POST", "/api/v1/auth/login", map[string]string{"username": username, "password": password}, http.StatusOK, &pair)
	return pair.AccessToken
}

// request builds a request; a body that is no reader is sent as JSON.
func (in *instance) request(ctx context.Context, method, path string, body any) *http.Request {
	in.t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			in.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, in.url+path, reader)
	if err != nil {
		in.t.Fatal(err)
	}
	if in.token != "" {
		req.Header.Set("Authorization", "Bearer "+in.token)
	}
	return req
}

// do sends a request, insists on a status, and decodes the answer.
func (in *instance) do(method, path string, body any, status int, into any) {
	in.t.Helper()
	resp, err := http.DefaultClient.Do(in.request(in.t.Context(), method, path, body))
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	if resp.StatusCode != status {
		in.t.Fatalf("%s %s: %s, want %d: %s", method, path, resp.Status, status, raw)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			in.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
}

// busy returns how many database connections are running something.
func (in *instance) busy() int {
	in.t.Helper()
	var health struct {
		InUse   int `json:"db_in_use"`
		Pending int `json:"events_pending"`
	}
	in.do("GET", "/api/v1/health", nil, http.StatusOK, &health)
	in.pending = health.Pending
	return health.InUse
}

// waitBusy waits until n connections have been running something for a while.
func (in *instance) waitBusy(n int) {
	in.t.Helper()
	for deadline, since := time.Now().Add(10*time.Second), time.Now(); time.Since(since) < 60*time.Millisecond; time.Sleep(5 * time.Millisecond) {
		if in.busy() < n {
			since = time.Now()
		}
		if time.Now().After(deadline) {
			in.t.Fatalf("%d connections never were busy", n)
		}
	}
}

// idleWithin reports whether the database comes to rest in time.
func (in *instance) idleWithin(d time.Duration) bool {
	in.t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if in.busy() == 0 {
			return true
		}
	}
	return false
}

type object = map[string]any

// query encodes names and values for a URL.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// seedSequence stores events whose four-step sequences can't be counted in any
// reasonable time.
func (in *instance) seedSequence() {
	in.t.Helper()
	start := time.Now().Add(-time.Hour).UTC()
	events := make([]object, 3000)
	for i := range events {
		events[i] = object{"kind": "probe", "host": "web1", "at": start.Add(time.Duration(i) * time.Millisecond)}
	}
	in.do("POST", "/api/v1/events", events, http.StatusAccepted, nil)
	in.settle()
}

// seedPaths stores connections from every host to every other.
func (in *instance) seedPaths() {
	in.t.Helper()
	const hosts = "abcdefghijkl"
	at := time.Now().Add(-time.Hour).UTC()
	var events []object
	for _, from := range hosts {
		for _, to := range hosts {
			if from != to {
				events = append(events, object{"kind": "connect", "source": string(from), "dest": string(to), "at": at})
			}
		}
	}
	in.do("POST", "/api/v1/events", events, http.StatusAccepted, nil)
	in.settle()
}

// settle waits for what the service does with events after it took them.
func (in *instance) settle() {
	in.t.Helper()
	for quiet, deadline := 0, time.Now().Add(60*time.Second); quiet < 5; time.Sleep(10 * time.Millisecond) {
		quiet++
		if in.busy() > 0 || in.pending > 0 {
			quiet = 0
		}
		if time.Now().After(deadline) {
			in.t.Fatal("the service does not come to rest")
		}
	}
}

var slowSequence = object{"steps": []string{"probe", "probe", "probe", "probe", "probe"}, "within": "1h"}

// abandon starts a request and returns a function that disconnects it.
func (in *instance) abandon(method, path string, body any) (disconnect func()) {
	in.t.Helper()
	ctx, cancel := context.WithCancel(in.t.Context())
	req := in.request(ctx, method, path, body)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := client.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	return func() { cancel(); <-done }
}
