package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A machine that is busy elsewhere is not what this is about: time in which somebody waited for a processor does not count.
func TestStartsInUnderASecond(t *testing.T) {
	best := time.Hour
	for range 3 {
		start, waited := time.Now(), waitedForProcessor(t)
		in := serve(t, t.TempDir())
		in.do("GET", "/api/v1/ready", nil, http.StatusOK, nil)
		if best = min(best, time.Since(start)-(waitedForProcessor(t)-waited)); best < time.Second {
			return
		}
		in.kill()
	}
	t.Errorf("it takes %s to start, log in and be ready", best)
}

// waitedForProcessor is for how long, since the machine started, some process
// was ready to run and could not; zero where the system does not tell.
func waitedForProcessor(t *testing.T) time.Duration {
	t.Helper()
	told, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	var total int64
	if _, found, ok := bytes.Cut(told, []byte("total=")); ok {
		_, err = fmt.Sscan(string(found), &total)
	}
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(total) * time.Microsecond
}

// Writers are cut off by a kill in the middle of what they do, some times over:
// whatever was answered is there, what was not is there as a whole or not at all.
func TestKillInTheMiddleOfWrites(t *testing.T) {
	dir := t.TempDir()
	const batch = 50
	kept := &written{}
	for round := range 3 {
		in := serve(t, dir)
		var writers sync.WaitGroup
		stop := make(chan struct{})
		for n := range 4 {
			writers.Go(func() { kept.write(in, fmt.Sprintf("%d-%d", round, n), batch, stop) })
		}
		waitFor(t, "some writes", 10*time.Second, func() bool { return kept.count() > 10*(round+1) })
		time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
		_ = in.cmd.Process.Kill()
		close(stop)
		writers.Wait()
		in.kill()
		kept.check(serve(t, dir), batch)
	}
}

// written is what the service has said that it stored.
type written struct {
	mu     sync.Mutex
	rules  []string
	events []string
}

func (k *written) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.rules) + len(k.events)
}

// write stores rules and batches of events until the service answers no more.
func (k *written) write(in *instance, name string, batch int, stop chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		name := fmt.Sprintf("%s-%d", name, i)
		events := make([]object, batch)
		for j := range events {
			events[j] = object{"kind": name, "host": "web1"}
		}
		stored := in.posted("/api/v1/rules", rule(name), http.StatusCreated)
		taken := in.posted("/api/v1/events", events, http.StatusAccepted)
		k.mu.Lock()
		if stored {
			k.rules = append(k.rules, name)
		}
		if taken {
			k.events = append(k.events, name)
		}
		k.mu.Unlock()
	}
}

// posted reports whether a request was answered with a status.
func (in *instance) posted(path string, body any, status int) bool {
	resp, err := http.DefaultClient.Do(in.request(in.t.Context(), "POST", path, body))
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == status
}

func (k *written) check(in *instance, batch int) {
	in.t.Helper()
	defer in.kill()
	in.do("POST", "/api/v1/maintenance/check", nil, http.StatusOK, nil)
	var audit struct{ Intact bool }
	if in.do("POST", "/api/v1/audit/verify", nil, http.StatusOK, &audit); !audit.Intact {
		in.t.Error("the audit log is broken")
	}
	var rules []struct{ Name string }
	in.do("GET", "/api/v1/rules", nil, http.StatusOK, &rules)
	there := map[string]bool{}
	for _, r := range rules {
		there[r.Name] = true
	}
	for _, name := range k.rules {
		if !there[name] {
			in.t.Errorf("rule %s was answered, and is gone", name)
		}
	}
	for _, name := range k.events {
		var found struct{ Total int }
		if in.do("GET", "/api/v1/events?limit=1&"+query("kind", name), nil, http.StatusOK, &found); found.Total != batch {
			in.t.Errorf("batch %s was answered, and %d of %d events are there", name, found.Total, batch)
		}
	}
	var all struct{ Total int }
	if in.do("GET", "/api/v1/events?limit=1", nil, http.StatusOK, &all); all.Total%batch != 0 {
		in.t.Errorf("%d events: a batch is there in part", all.Total)
	}
}

// goroutines returns how many goroutines the service has.
func (in *instance) goroutines() int {
	in.t.Helper()
	_, body := in.raw("GET", "/metrics", "")
	found := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindSubmatch(body)
	if found == nil {
		in.t.Fatal("the metrics do not say how many goroutines there are")
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		in.t.Fatal(err)
	}
	return n
}

func TestAThousandClientsAtOnce(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("POST", "/api/v1/rules", rule("one"), http.StatusCreated, nil)
	in.settle()
	before := in.goroutines()
	clients(t, in, 1000, 5)
	waitFor(t, fmt.Sprintf("the goroutines of clients that have left (before: %d)", before), 5*time.Second,
		func() bool { return in.goroutines() <= before+2 })
}

// clients has as many clients as are wanted ask at the same time, each on a
// connection of its own, and returns how long each answer took.
func clients(t testing.TB, in *instance, n, requests int) []time.Duration {
	t.Helper()
	paths := []string{"/api/v1/health", "/api/v1/rules", "/api/v1/retention", "/api/v1/alerts", "/api/v1/auth/me"}
	took := make([]time.Duration, n*requests)
	var failed atomic.Int32
	var ready, gone sync.WaitGroup
	ready.Add(n)
	for i := range n {
		gone.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
			defer client.CloseIdleConnections()
			for j := range requests {
				if j == 1 {
					ready.Done()
					ready.Wait() // from here on all are connected
				}
				start := time.Now()
				resp, err := client.Do(in.request(t.Context(), "GET", paths[(i+j)%len(paths)], nil))
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				if took[i*requests+j] = time.Since(start); err != nil || resp.StatusCode != http.StatusOK {
					if failed.Add(1) == 1 {
						t.Logf("the first that failed: %v %v", resp, err)
					}
				}
			}
		})
	}
	gone.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d requests failed", n)
	}
	return took
}

func TestStreamsThatAreLeftEnd(t *testing.T) {
	in := serve(t, t.TempDir())
	in.settle()
	before := in.goroutines()
	var leave []func()
	for range 200 {
		leave = append(leave, in.abandon("GET", "/api/v1/alerts/stream", nil))
	}
	waitFor(t, "the streams", 5*time.Second, func() bool { return in.goroutines() >= before+200 })
	for _, one := range leave {
		one()
	}
	waitFor(t, fmt.Sprintf("the goroutines of streams that were left (before: %d)", before), 5*time.Second,
		func() bool { return in.goroutines() <= before+2 })
}
