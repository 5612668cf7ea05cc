package relay

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

// sink takes lines, says ok to the first few, and then nothing.
func sink(t *testing.T, good int) (addr string, lines func() []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var mu sync.Mutex
	var taken []string
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for in := bufio.NewScanner(conn); in.Scan(); {
					mu.Lock()
					taken = append(taken, in.Text())
					full := len(taken) > good
					mu.Unlock()
					if full {
						return
					}
					_, _ = conn.Write([]byte("ok\n"))
				}
			}()
		}
	}()
	return listener.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), taken...)
	}
}

func TestEntriesAreSentOnceAndInOrder(t *testing.T) {
	b := siemtest.New(t)
	addr, lines := sink(t, 100)
	r := New(storage.NewAuditLog(b.DB), addr, b.Log)
	b.Audited("one", "two")
	n, err := r.Send(t.Context())
	b.OK(err)
	r.Start(5 * time.Millisecond)
	b.Audited("three")
	b.Eventually("three lines", func() bool { return len(lines()) == 3 })
	b.OK(r.Stop())
	got := lines()
	if n != 2 || len(got) != 3 || !strings.Contains(got[2], `"action":"three"`) {
		t.Errorf("%d sent first; %v", n, got)
	}
}

func TestWhatWasNotTakenIsSentAgain(t *testing.T) {
	b := siemtest.New(t)
	addr, _ := sink(t, 1)
	store := storage.NewAuditLog(b.DB)
	b.Audited("one", "two", "three")
	n, err := New(store, addr, b.Log).Send(t.Context())
	last, lastErr := store.RelayedTo(addr)
	b.OK(lastErr)
	if n != 1 || err == nil || last != 1 {
		t.Errorf("%d sent, %v; the target has %d", n, err, last)
	}
}
