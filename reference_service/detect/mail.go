package detect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"time"

	"example.org/siem/core"
)

// Mailer sends mail through one server.
type Mailer struct {
	addr string
	from string
	auth smtp.Auth
}

// NewMailer returns a mailer that sends as from, and logs in when auth isn't nil.
func NewMailer(addr, from string, auth smtp.Auth) *Mailer {
	return &Mailer{addr: addr, from: from, auth: auth}
}

// Verify asks the server for a greeting, so that a wrong address shows at start.
func (m *Mailer) Verify() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, _, err := m.dial(ctx)
	if err != nil {
		return fmt.Errorf("mail server %s: %w", m.addr, err)
	}
	return client.Quit()
}

// Send delivers one mail.
func (m *Mailer) Send(ctx context.Context, to, subject, text string) (err error) {
	if strings.ContainsAny(to+subject, "\r\n") {
		return core.Errorf(core.CodeInvalid, "an address or a subject has no line breaks")
	}
	client, stop, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer func() {
		stop()
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		_ = client.Close()
	}()
	if m.auth != nil {
		if err := client.Auth(m.auth); err != nil {
			return err
		}
	}
	if err := client.Mail(m.from); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(body, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n\r\n%s\r\n", m.from, to, subject, time.Now().Format(time.RFC1123Z), text); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// dial connects; when ctx ends, whatever waits for the server fails.
func (m *Mailer) dial(ctx context.Context) (*smtp.Client, func() bool, error) {
	conn, err := net.DialTimeout("tcp", m.addr, 5*time.Second)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	host, _, _ := net.SplitHostPort(m.addr)
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		stop()
		return nil, nil, errors.Join(err, conn.Close())
	}
	return client, stop, nil
}
