// Package outbound makes the HTTP requests that users of the service can cause.
// It refuses to talk to the network the service itself stands in.
package outbound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"example.org/siem/core"
)

// Client implements core.Fetcher, core.Poster and core.Caller.
type Client struct {
	http    *http.Client
	allowed []netip.Prefix
}

// New returns a client that may reach public addresses and those in allowed.
func New(allowed []netip.Prefix, timeout time.Duration) *Client {
	c := &Client{allowed: allowed}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: c.control}
	c.http = &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: timeout,
			MaxIdleConnsPerHost:   2,
			IdleConnTimeout:       time.Minute,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) >= 3 {
				return errors.New("more than three redirects")
			}
			return nil
		},
	}
	return c
}

// control sees the address that is really dialled: after the name was resolved,
// and after every redirect.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return c.Permits(ap.Addr())
}

// Permits returns an error if an address is one that the service must not reach.
func (c *Client) Permits(addr netip.Addr) error {
	addr = addr.Unmap()
	for _, p := range c.allowed {
		if p.Contains(addr) {
			return nil
		}
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return core.Errorf(core.CodeForbidden, "%s is not a public address", addr)
	}
	return nil
}

// special are networks that are no private ones by name, and not public either
// (RFC 6890): a gateway may translate the IPv6 ones to any IPv4 address.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network
	netip.MustParsePrefix("100.64.0.0/10"),  // carriers
	netip.MustParsePrefix("192.0.0.0/24"),   // protocol assignments
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved
	netip.MustParsePrefix("::/96"),          // IPv4 in IPv6, the old form
	netip.MustParsePrefix("64:ff9b::/96"),   // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"), // NAT64, of a site's own
	netip.MustParsePrefix("2001::/32"),      // Teredo
	netip.MustParsePrefix("2002::/16"),      // 6to4
	netip.MustParsePrefix("fec0::/10"),      // sites
}

// Fetch gets a document of at most limit bytes.
func (c *Client) Fetch(url string, limit int64) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, core.Errorf(core.CodeInvalid, "%v", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, core.Errorf(core.CodeUnavailable, "%s answered %s", req.URL.Host, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, unavailable(err)
	}
	if int64(len(body)) > limit {
		return nil, core.Errorf(core.CodeTooLarge, "%s sent more than %d bytes", req.URL.Host, limit)
	}
	return body, nil
}

// Post sends a JSON document and returns the status of the answer.
func (c *Client) Post(url string, body []byte, patience time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, core.Errorf(core.CodeInvalid, "%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, unavailable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // lets the connection be used again
	return resp.StatusCode, nil
}

// Call sends a request with a JSON body, and returns the status and at most a
// mebibyte of the answer.
func (c *Client) Call(ctx context.Context, method, url string, header map[string]string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, core.Errorf(core.CodeInvalid, "%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, unavailable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return resp.StatusCode, nil, unavailable(err)
	}
	return resp.StatusCode, answer, nil
}

// Dial opens a TCP connection.
func (c *Client) Dial(ctx context.Context, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: c.control}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, unavailable(err)
	}
	return conn, nil
}

// unavailable gives what went wrong elsewhere a code, unless it has one.
func unavailable(err error) error {
	if core.ErrorCode(err) != core.CodeInternal {
		return err
	}
	return fmt.Errorf("%w: %w", &core.Error{Code: core.CodeUnavailable, Message: err.Error()}, err)
}
