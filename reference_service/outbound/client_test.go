package outbound

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.org/siem/core"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestOnlyPublicAddresses(t *testing.T) {
	c := New(loopback, time.Second)
	for address, allowed := range map[string]bool{
		"8.8.8.8:443": true, "127.0.0.1:80": true, "[2001:4860:4860::8888]:443": true,
		"10.1.2.3:80": false, "169.254.169.254:80": false, "[::1]:80": false, "[fd00::1]:80": false,
		"[::ffff:10.0.0.1]:80": false, "100.64.0.1:80": false, "0.0.0.0:80": false, "0.1.2.3:80": false, "255.255.255.255:80": false,
		"192.0.0.1:80": false, "198.18.0.1:80": false, "240.0.0.1:80": false, "224.0.0.1:80": false, "[ff02::1]:80": false, "[fe80::1%eth0]:80": false,
		"[::127.0.0.1]:80": false, "[64:ff9b::7f00:1]:80": false, "[64:ff9b:1::a00:1]:80": false, "[2002:7f00:1::]:80": false, "[2001:0:7f00:1::]:80": false,
		"[fec0::1]:80": false,
	} {
		if err := c.control("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestFetch(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/list":
			_, _ = io.WriteString(w, "evil.example\n")
		case "/away":
			http.Redirect(w, r, "http://[::1]:1/", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	c := New(loopback, time.Second)
	if body, err := c.Fetch(server.URL+"/list", 100); err != nil || string(body) != "evil.example\n" {
		t.Errorf("%q, %v", body, err)
	}
	for path, code := range map[string]string{"/list": core.CodeTooLarge, "/none": core.CodeUnavailable, "/away": core.CodeForbidden} {
		if _, err := c.Fetch(server.URL+path, 5); core.ErrorCode(err) != code {
			t.Errorf("%s: %v, want %s", path, err, code)
		}
	}
}

func TestPost(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	status, err := New(loopback, time.Second).Post(server.URL, []byte(`{"a":1}`), time.Second)
	if err != nil || status != http.StatusTeapot || got != `{"a":1}` {
		t.Errorf("%d, %v, %s", status, err, got)
	}
	if _, err := New(nil, time.Second).Post(server.URL, nil, time.Second); core.ErrorCode(err) != core.CodeForbidden || !strings.Contains(err.Error(), "public") {
		t.Errorf("loopback: %v", err)
	}
}
