// Package client talks to the service's HTTP interface.
//
//	c := client.New("http://127.0.0.1:8514")
//	if err := c.LoginContext(context.Background(), "admin", password); err != nil {
//		return err
//	}
//	n, err := c.SendContext(context.Background(), events)
//
// Every method has a form that takes a context. Who has none may call the short
// one, which waits as long as it takes.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.org/siem/core"
)

// Client is one login, or one key, at one service.
type Client struct {
	base  string
	http  *http.Client
	mu    sync.Mutex
	token string
}

// New returns a client of the service at an address like http://127.0.0.1:8514.
func New(base string) *Client {
	return &Client{base: strings.TrimSuffix(base, "/") + "/api/v1", http: &http.Client{Timeout: time.Minute}}
}

// WithKey returns a client that shows the key of a program.
func WithKey(base, key string) *Client {
	c := New(base)
	c.token = key
	return c
}

// Login logs in.
func (c *Client) Login(username, password string) error {
	return c.LoginContext(context.Background(), username, password)
}

// LoginContext logs in; later calls are made as the user.
//
//	err := c.LoginContext(context.Background(), "admin", password)
func (c *Client) LoginContext(ctx context.Context, username, password string) error {
	var pair struct {
		AccessToken string `json:"access_token"`
	}
	err := c.do(ctx, http.MethodPost, "/auth/login", map[string]string{"username": username, "password": password}, &pair)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.token = pair.AccessToken
	c.mu.Unlock()
	return nil
}

// Send stores events.
func (c *Client) Send(events []*core.Event) (int, error) {
	return c.SendContext(context.Background(), events)
}

// SendContext stores events, and returns how many the service took.
//
//	n, err := c.SendContext(context.Background(), []*core.Event{{Kind: "login", Host: "web1"}})
func (c *Client) SendContext(ctx context.Context, events []*core.Event) (int, error) {
	var answer struct {
		Accepted int `json:"accepted"`
	}
	err := c.do(ctx, http.MethodPost, "/events", events, &answer)
	return answer.Accepted, err
}

// Search finds events.
func (c *Client) Search(filter core.EventFilter) ([]*core.Event, error) {
	return c.SearchContext(context.Background(), filter)
}

// SearchContext finds events, the latest first.
//
//	events, err := c.SearchContext(context.Background(), core.EventFilter{Host: "web1"})
func (c *Client) SearchContext(ctx context.Context, filter core.EventFilter) ([]*core.Event, error) {
	q := url.Values{}
	for name, value := range map[string]string{"kind": filter.Kind, "host": filter.Host, "user": filter.User, "source": filter.Source, "text": filter.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if !filter.From.IsZero() {
		q.Set("from", filter.From.Format(time.RFC3339))
	}
	var answer struct {
		Events []*core.Event `json:"events"`
	}
	err := c.do(ctx, http.MethodGet, "/events?"+q.Encode(), nil, &answer)
	return answer.Events, err
}

// Alerts lists alerts.
func (c *Client) Alerts(status string) ([]*core.Alert, error) {
	return c.AlertsContext(context.Background(), status)
}

// AlertsContext lists the alerts with a status, or all.
//
//	alerts, err := c.AlertsContext(context.Background(), core.AlertOpen)
func (c *Client) AlertsContext(ctx context.Context, status string) (alerts []*core.Alert, err error) {
	err = c.do(ctx, http.MethodGet, "/alerts?status="+url.QueryEscape(status), nil, &alerts)
	return alerts, err
}

// Move changes the status of an alert.
func (c *Client) Move(id, status string) error {
	return c.MoveContext(context.Background(), id, status)
}

// MoveContext changes the status of an alert.
//
//	err := c.MoveContext(context.Background(), alert.ID, core.AlertResolved)
func (c *Client) MoveContext(ctx context.Context, id, status string) error {
	return c.do(ctx, http.MethodPost, "/alerts/"+url.PathEscape(id)+"/status", map[string]string{"status": status}, nil)
}

// WaitReady waits until the service answers.
func (c *Client) WaitReady() error { return c.WaitReadyContext(context.Background()) }

// WaitReadyContext asks the service every fifth of a second whether it is ready.
//
//	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
//	defer cancel()
//	err := c.WaitReadyContext(ctx)
func (c *Client) WaitReadyContext(ctx context.Context) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := c.do(ctx, http.MethodGet, "/ready", nil, nil)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// do sends a request and decodes the answer, or the error in it.
func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	c.mu.Unlock()
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		failure := struct{ Error, Message string }{}
		if json.Unmarshal(answer, &failure) == nil && failure.Error != "" {
			return core.Errorf(failure.Error, "%s", failure.Message)
		}
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
