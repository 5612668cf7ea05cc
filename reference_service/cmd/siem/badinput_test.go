package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// refusal is what the service says when it does not do something.
type refusal struct {
	Error     string `json:"error"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// raw sends a body as it is, and returns the status and the answer.
func (in *instance) raw(method, path, body string) (int, []byte) {
	in.t.Helper()
	req := in.request(in.t.Context(), method, path, nil)
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// refused sends a request, and insists that it is refused with a code and a
// message.
func (in *instance) refused(method, path string, body any, status int, code string) {
	in.t.Helper()
	var said refusal
	in.do(method, path, body, status, &said)
	if said.Error != code || said.Message == "" || said.RequestID == "" {
		in.t.Errorf("%s %s: answered %+v, want %s", method, path, said, code)
	}
}

// stored counts what there is of every sort.
func (in *instance) stored() map[string]int {
	in.t.Helper()
	counts := map[string]int{}
	for _, sort := range []string{"rules", "alerts", "actions", "playbooks", "users", "roles", "cases", "feeds", "exceptions", "correlations",
		"hooks", "watchlists", "dashboards", "searches", "keys", "assets", "hunts", "reports", "sources", "packs", "exports", "subscriptions"} {
		var found []any
		in.do("GET", "/api/v1/"+sort, nil, http.StatusOK, &found)
		counts[sort] = len(found)
	}
	var events struct{ Total int }
	in.do("GET", "/api/v1/events", nil, http.StatusOK, &events)
	counts["events"] = events.Total
	return counts
}

// unchanged insists that there is as much of every sort as there was.
func (in *instance) unchanged(before map[string]int) {
	in.t.Helper()
	for sort, n := range in.stored() {
		if n != before[sort] {
			in.t.Errorf("%s: %d, and were %d", sort, n, before[sort])
		}
	}
}

// Whatever is sent to whichever route that takes a body: it is refused, nothing
// is stored, and the service does not break.
func TestBodiesThatMakeNoSense(t *testing.T) {
	in := serve(t, t.TempDir(), "SIEM_MAX_BODY=100000")
	source, err := os.ReadFile("../../api/server.go")
	if err != nil {
		t.Fatal(err)
	}
	routes := regexp.MustCompile(`"(POST|PUT|PATCH) (/api/v1/[^"]+)"`).FindAllStringSubmatch(string(source), -1)
	for _, sort := range regexp.MustCompile(`serve\(s, on, "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		routes = append(routes, []string{"", "POST", "/api/v1/" + sort[1]}, []string{"", "PUT", "/api/v1/" + sort[1] + "/{id}"})
	}
	if len(routes) < 80 {
		t.Fatalf("%d routes", len(routes))
	}
	before := in.stored()
	path := regexp.MustCompile(`\{\w+\}`)
	for _, body := range []string{`{`, `{"name": }`, "\x00\xff", `"words"`, `null`, `[null]`, `[{"kind": 7}]`, `{"name": {}, "format": 7, "criticality": "high"}`, strings.Repeat("[", 20_000)} {
		for _, route := range routes {
			if route[2] == "/api/v1/maintenance/backup" || strings.HasSuffix(route[2], "/logout") {
				continue // they read no body, and do what they are for
			}
			status, answer := in.raw(route[1], path.ReplaceAllString(route[2], "none"), body)
			if status == http.StatusInternalServerError || status == 0 {
				t.Errorf("%s %s with %.20q: %d %s", route[1], route[2], body, status, answer)
			}
		}
	}
	in.unchanged(before)
}

func TestMalformedAndOversizedInputIsRefusedByItsCode(t *testing.T) {
	in := serve(t, t.TempDir(), "SIEM_MAX_BODY=4096")
	before := in.stored()
	for _, sort := range []string{"rules", "events", "actions", "playbooks", "feeds", "searches"} {
		for body, want := range map[string]int{`{"name": `: http.StatusBadRequest, `{}`: http.StatusBadRequest,
			`{"name": "` + strings.Repeat("x", 5000) + `"}`: http.StatusRequestEntityTooLarge} {
			if status, answer := in.raw("POST", "/api/v1/"+sort, body); status != want || !bytes.Contains(answer, []byte(`"error":"`)) {
				t.Errorf("%s with %.12q: %d %s", sort, body, status, answer)
			}
		}
	}
	for _, lines := range []string{"", "words", "<999>x", "<>x", "{\"kind\":\"\"}", "{\"kind\":\"x\",\"severity\":5}", "{\"kind\":", "words\nand more"} {
		if status, answer := in.raw("POST", "/api/v1/events/lines", lines); status != http.StatusBadRequest || !bytes.Contains(answer, []byte(`"error":"invalid"`)) {
			t.Errorf("lines %q: %d %s", lines, status, answer)
		}
	}
	for _, severity := range []int{-1, 5} {
		in.refused("POST", "/api/v1/events", []object{{"kind": "x"}, {"kind": "x", "severity": severity}}, http.StatusBadRequest, "invalid")
	}
	for _, query := range []string{"events?limit=many", "events?from=yesterday", "alerts?limit=-1", "audit?limit=x", "events/histogram?step=0s"} {
		in.refused("GET", "/api/v1/"+query, nil, http.StatusBadRequest, "invalid")
	}
	in.unchanged(before)
}

func TestMalformedLinesOverTheNetworkAreDropped(t *testing.T) {
	tcp, udp := freeAddr(t), freeAddr(t)
	in := serve(t, t.TempDir(), "SIEM_SYSLOG_TCP="+tcp, "SIEM_SYSLOG_UDP="+udp)
	send := func(network, addr, text string) {
		conn, err := net.Dial(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, text)
	}
	for _, text := range []string{"words\n", "<192>x\n", "<-1>x\n", "{\"kind\":\n", "\x00\x01\n", "<13>" + strings.Repeat("x", 70<<10) + "\n"} {
		send("tcp", tcp, text)
		send("udp", udp, text[:min(len(text), 1000)])
	}
	send("tcp", tcp, "<34>Oct 11 22:14:15 web1 su: right\n")
	var found struct {
		Events []struct{ Message string }
		Total  int
	}
	waitFor(t, "the line that is right", 5*time.Second, func() bool {
		in.do("GET", "/api/v1/events?host=web1", nil, http.StatusOK, &found)
		return found.Total > 0
	})
	in.do("GET", "/api/v1/events?text=words", nil, http.StatusOK, &found)
	if found.Total != 0 {
		t.Errorf("stored: %+v", found)
	}
}

// freeAddr is an address on loopback that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestTokensThatProveNothing(t *testing.T) {
	const key = "a signing key of this test's own, long enough"
	in := serve(t, t.TempDir(), "SIEM_SIGNING_KEY="+key)
	claims := func(change jwt.MapClaims) jwt.MapClaims {
		c := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(in.token, c); err != nil {
			t.Fatal(err)
		}
		maps.Copy(c, change)
		return c
	}
	sign := func(method jwt.SigningMethod, c jwt.MapClaims, key any) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	in.token = sign(jwt.SigningMethodHS256, claims(nil), []byte(key))
	in.do("GET", "/api/v1/auth/me", nil, http.StatusOK, nil) // what follows differs from this in one thing each
	valid, parts := claims(nil), strings.Split(in.token, ".")
	long := claims(nil)
	delete(long, "exp")
	for name, token := range map[string]string{
		"expired":        sign(jwt.SigningMethodHS256, claims(jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), []byte(key)),
		"without end":    sign(jwt.SigningMethodHS256, long, []byte(key)),
		"forged":         sign(jwt.SigningMethodHS256, valid, []byte("another key")),
		"alg none":       sign(jwt.SigningMethodNone, valid, jwt.UnsafeAllowNoneSignatureType),
		"other method":   sign(jwt.SigningMethodHS512, valid, []byte(key)),
		"other issuer":   sign(jwt.SigningMethodHS256, claims(jwt.MapClaims{"iss": "elsewhere"}), []byte(key)),
		"no session":     sign(jwt.SigningMethodHS256, claims(jwt.MapClaims{"sid": "session_none"}), []byte(key)),
		"no signature":   parts[0] + "." + parts[1] + ".",
		"cut off":        parts[0] + "." + parts[1],
		"other claims":   parts[0] + "." + strings.Split(sign(jwt.SigningMethodHS256, claims(jwt.MapClaims{"tenant": "other"}), []byte(key)), ".")[1] + "." + parts[2],
		"nothing":        "",
		"made up":        "siemkey_none",
		"SQL":            "siemkey_' OR '1'='1",
		"something else": "a.b.c",
	} {
		in.token = token
		t.Run(name, func(t *testing.T) {
			in.t = t
			in.refused("GET", "/api/v1/auth/me", nil, http.StatusUnauthorized, "unauthorized")
			in.refused("POST", "/api/v1/rules", rule("never"), http.StatusUnauthorized, "unauthorized")
		})
	}
	in.t, in.token = t, ""
	in.refused("POST", "/api/v1/auth/refresh", object{"refresh_token": "session_none.secret"}, http.StatusUnauthorized, "unauthorized")
	in.token = in.login("admin", password)
	var rules []object
	if in.do("GET", "/api/v1/rules", nil, http.StatusOK, &rules); len(rules) > 0 {
		t.Errorf("stored: %v", rules)
	}
}

func TestUnknownIDsAreNotFound(t *testing.T) {
	in := serve(t, t.TempDir())
	for _, sort := range []string{"rules", "alerts", "users", "cases", "actions", "playbooks", "feeds", "exceptions", "correlations", "hooks",
		"watchlists", "dashboards", "searches", "hunts", "reports", "sources", "packs", "subscriptions", "events"} {
		for _, id := range []string{"none", "%27%20OR%20%271%27=%271", "..%2f..%2fetc%2fpasswd", "0", strings.Repeat("x", 2000)} {
			in.refused("GET", "/api/v1/"+sort+"/"+id, nil, http.StatusNotFound, "not_found")
		}
	}
	in.refused("GET", "/api/v1/nothing", nil, http.StatusNotFound, "not_found")
	in.refused("PUT", "/api/v1/alerts", object{}, http.StatusMethodNotAllowed, "method_not_allowed")
	for _, call := range []string{"POST alerts/none/status", "DELETE rules/none", "DELETE actions/none", "POST playbooks/none/run", "POST feeds/none/refresh",
		"POST actions/none/test", "DELETE sessions/none", "POST hunts/none/run", "POST reports/none/make", "POST sources/none/pull"} {
		method, path, _ := strings.Cut(call, " ")
		in.refused(method, "/api/v1/"+path, object{"status": "resolved"}, http.StatusNotFound, "not_found")
	}
}

// SQL in any field is text like any other.
func TestSQLIsText(t *testing.T) {
	in := serve(t, t.TempDir())
	for _, sql := range []string{`'; DROP TABLE rules; --`, `" OR "1"="1`, `x' UNION SELECT password_hash FROM users --`, `%' ESCAPE '\`, "a\x00b"} {
		var stored object
		in.do("POST", "/api/v1/rules", object{"name": sql, "severity": 1, "enabled": true, "tags": []string{sql},
			"conditions": []object{{"field": sql, "op": "equals", "values": []string{sql}}}}, http.StatusCreated, &stored)
		if in.do("GET", fmt.Sprintf("/api/v1/rules/%s", stored["id"]), nil, http.StatusOK, &stored); stored["name"] != sql {
			t.Errorf("stored %q as %q", sql, stored["name"])
		}
		for sort, body := range map[string]object{
			"actions":      {"name": sql, "kind": "webhook", "target": "https://93.184.215.14/x"},
			"playbooks":    {"name": sql, "steps": []object{{"name": sql, "comment": sql}}},
			"exceptions":   {"name": sql, "rule_id": sql, "reason": sql, "condition": object{"field": sql, "op": "equals", "values": []string{sql}}},
			"correlations": {"name": sql, "kind": sql, "group_by": "host", "threshold": 2, "seconds": 60},
			"searches":     {"name": sql, "query": object{"kind": sql, "host": sql, "text": sql}},
			"watchlists":   {"name": sql, "field": "host"},
			"cases":        {"title": sql, "summary": sql, "severity": 1},
		} {
			in.do("POST", "/api/v1/"+sort, body, http.StatusCreated, &stored)
		}
		in.do("POST", "/api/v1/events", object{"kind": sql, "host": sql, "user": sql, "source": sql, "dest": sql, "message": sql, "fields": object{sql: sql}},
			http.StatusAccepted, nil)
		in.settle()
		var found struct{ Events []object }
		in.do("GET", "/api/v1/events?"+query("kind", sql, "host", sql, "user", sql, "source", sql), nil, http.StatusOK, &found)
		if len(found.Events) != 1 || found.Events[0]["message"] != sql {
			t.Errorf("found by %q: %v", sql, found.Events)
		}
		in.do("GET", "/api/v1/events?"+query("text", sql), nil, http.StatusOK, &found)
		in.do("GET", "/api/v1/alerts?"+query("status", sql, "assignee", sql), nil, http.StatusOK, nil)
		in.do("GET", "/api/v1/rules?"+query("tag", sql), nil, http.StatusOK, nil)
		in.do("POST", "/api/v1/events/sequences", object{"steps": []string{sql, sql}, "within": "1h"}, http.StatusOK, nil)
		in.do("GET", "/api/v1/events/paths?"+query("from", sql), nil, http.StatusOK, nil)
		in.refused("GET", "/api/v1/events/top?"+query("field", sql), nil, http.StatusBadRequest, "invalid")
		in.refused("POST", "/api/v1/auth/login", object{"username": sql, "password": sql}, http.StatusUnauthorized, "unauthorized")
	}
	var rules, users []object
	in.do("GET", "/api/v1/rules", nil, http.StatusOK, &rules)
	in.do("GET", "/api/v1/users", nil, http.StatusOK, &users)
	if len(rules) != 5 || len(users) != 1 {
		t.Errorf("%d rules, %d users", len(rules), len(users))
	}
	in.do("POST", "/api/v1/maintenance/check", nil, http.StatusOK, nil)
}

// untouched is a server on loopback that fails the test when it is reached.
func untouched(t *testing.T) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the service called %s %s, where it must not", r.Method, r.Host)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

func TestWebhooksReachNoPrivateAddress(t *testing.T) {
	port := untouched(t)
	elsewhere, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	redirecting := &httptest.Server{Listener: elsewhere, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:"+port+"/", http.StatusTemporaryRedirect)
	})}}
	redirecting.Start()
	t.Cleanup(redirecting.Close)
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.2/32", "SIEM_TEST_DNS="+rebinding(t, "127.0.0.2", "127.0.0.1"))
	before := in.stored()
	for _, target := range []string{"http://127.0.0.1:" + port, "http://localhost:" + port, "http://0.0.0.0:" + port, "http://[::1]:" + port,
		"http://[::ffff:127.0.0.1]:" + port, "http://[64:ff9b::7f00:1]:" + port, "http://10.0.0.1:" + port, "http://169.254.169.254/latest/meta-data",
		"http://100.64.0.1:" + port, "http://8.8.8.8@127.0.0.1:" + port, "HTTP://127.0.0.1:" + port} {
		for _, kind := range []string{"webhook", "chat", "ticket", "block"} {
			in.refused("POST", "/api/v1/actions", object{"name": "one", "kind": kind, "target": target}, http.StatusForbidden, "forbidden")
		}
		for _, sort := range []string{"feeds", "packs", "sources", "directories", "subscriptions"} {
			in.refused("POST", "/api/v1/"+sort, object{"name": "one", "kind": "ip", "url": target, "target": target, "channel": "webhook", "every_minutes": 60,
				"roles": object{"soc": "analyst"}}, http.StatusForbidden, "forbidden")
		}
	}
	in.refused("POST", "/api/v1/subscriptions", object{"name": "one", "channel": "email", "target": "a@b\r\nRCPT TO:<c@d>"}, http.StatusBadRequest, "invalid")
	in.refused("POST", "/api/v1/actions", object{"name": "one", "kind": "forward", "target": "127.0.0.1:" + port}, http.StatusForbidden, "forbidden")
	in.unchanged(before)

	// What is allowed may lead to what is not.
	for _, kind := range []string{"webhook", "chat", "ticket"} {
		in.stopped(object{"name": kind + " by redirect", "kind": kind, "target": redirecting.URL})
	}
	id := in.made("feeds", object{"kind": "ip", "url": redirecting.URL})
	in.refused("POST", fmt.Sprintf("/api/v1/feeds/%s/refresh", id), nil, http.StatusForbidden, "forbidden")

	// The name has an address that is allowed when it is looked at, and another when it is called.
	in.stopped(object{"name": "by rebinding", "kind": "webhook", "target": "http://rebinding.example:" + port})
}

// stopped insists that an action can be stored, and reaches nobody.
func (in *instance) stopped(action object) {
	in.t.Helper()
	var run struct {
		OK     bool
		Detail string
	}
	in.do("POST", fmt.Sprintf("/api/v1/actions/%s/test", in.madeAs("actions", action)), object{}, http.StatusOK, &run)
	if run.OK || !strings.Contains(run.Detail, "127.0.0.1 is not a public address") {
		in.t.Errorf("%s: %+v", action["name"], run)
	}
}

// rebinding is a name server that answers the first question for an IPv4 address
// with one, and all others with another. It has no IPv6 addresses.
func rebinding(t *testing.T, first, then string) (addr string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer, next := make([]byte, 512), first
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			end := 12 + bytes.IndexByte(buffer[12:n], 0) + 5 // header, name, type and class
			answer := append([]byte{}, buffer[:end]...)
			copy(answer[2:], []byte{0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0})
			if buffer[end-3] == 1 {
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, net.ParseIP(next).To4()...)
				next = then
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return conn.LocalAddr().String()
}
