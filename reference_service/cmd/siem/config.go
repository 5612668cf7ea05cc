package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"example.org/siem/core"
)

// config is what the environment and the command line say.
type config struct {
	data             string
	addr             string
	logLevel         slog.Level
	log              *slog.Logger
	readers          int
	maxBody          int64
	requestTimeout   time.Duration
	accessTTL        time.Duration
	refreshTTL       time.Duration
	grace            time.Duration
	playbookTimeout  time.Duration
	sweepEvery       time.Duration
	feedsEvery       time.Duration
	trainEvery       time.Duration
	memorySessions   bool
	syslogTCP        string
	syslogUDP        string
	smtp             string
	mailFrom         string
	scripts          string
	clickhouse       string
	locator          string
	backupEvery      time.Duration
	backupKeep       int
	backupTarget     string
	auditTarget      string
	directoryToken   string
	directoriesEvery time.Duration
	clickhouseAuth   clickhouse.Auth
	outboundAllow    []netip.Prefix
	actionTimeouts   map[string]time.Duration
	signingKey       string
	adminPassword    string
}

func (c *config) database() string { return filepath.Join(c.data, "siem.db") }

// loadConfig reads the environment and reports everything that is wrong with it.
func loadConfig(data string, getenv func(string) string) (*config, error) {
	if data == "" {
		return nil, errors.New("no data directory: use -data or SIEM_DATA")
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	e := &environment{get: getenv}
	c := &config{
		data:             data,
		addr:             e.text("SIEM_ADDR", "127.0.0.1:8514"),
		readers:          e.number("SIEM_READERS", 4),
		maxBody:          int64(e.number("SIEM_MAX_BODY", 8<<20)),
		requestTimeout:   e.duration("SIEM_REQUEST_TIMEOUT", time.Minute),
		accessTTL:        e.duration("SIEM_ACCESS_TTL", 15*time.Minute),
		refreshTTL:       e.duration("SIEM_REFRESH_TTL", 14*24*time.Hour),
		grace:            e.duration("SIEM_SHUTDOWN_GRACE", 10*time.Second),
		sweepEvery:       e.duration("SIEM_SWEEP_EVERY", time.Hour),
		feedsEvery:       e.duration("SIEM_FEEDS_EVERY", 6*time.Hour),
		trainEvery:       e.duration("SIEM_TRAIN_EVERY", 24*time.Hour),
		playbookTimeout:  e.duration("SIEM_PLAYBOOK_TIMEOUT", 10*time.Minute),
		syslogTCP:        getenv("SIEM_SYSLOG_TCP"),
		syslogUDP:        getenv("SIEM_SYSLOG_UDP"),
		smtp:             getenv("SIEM_SMTP"),
		mailFrom:         e.text("SIEM_MAIL_FROM", "siem@localhost"),
		scripts:          getenv("SIEM_SCRIPTS"),
		clickhouse:       getenv("SIEM_CLICKHOUSE"),
		backupEvery:      e.duration("SIEM_BACKUP_EVERY", 24*time.Hour),
		backupKeep:       e.number("SIEM_BACKUP_KEEP", 7),
		backupTarget:     getenv("SIEM_BACKUP_TARGET"),
		auditTarget:      getenv("SIEM_AUDIT_TARGET"),
		locator:          getenv("SIEM_LOCATOR"),
		directoryToken:   getenv("SIEM_DIRECTORY_TOKEN"),
		directoriesEvery: e.duration("SIEM_DIRECTORIES_EVERY", time.Hour),
		clickhouseAuth: clickhouse.Auth{
			Database: e.text("SIEM_CLICKHOUSE_DATABASE", "siem"),
			Username: getenv("SIEM_CLICKHOUSE_USER"),
			Password: getenv("SIEM_CLICKHOUSE_PASSWORD"),
		},
		memorySessions: e.text("SIEM_SESSIONS", "sqlite") == "memory",
		signingKey:     getenv("SIEM_SIGNING_KEY"),
		adminPassword:  getenv("SIEM_ADMIN_PASSWORD"),
	}
	for _, p := range strings.Fields(strings.ReplaceAll(getenv("SIEM_OUTBOUND_ALLOW"), ",", " ")) {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			e.wrong("SIEM_OUTBOUND_ALLOW", p, "a list of networks like 10.0.0.0/8")
		}
		c.outboundAllow = append(c.outboundAllow, prefix)
	}
	c.actionTimeouts = e.durations("SIEM_ACTION_TIMEOUTS")
	if err := c.logLevel.UnmarshalText([]byte(e.text("SIEM_LOG", "info"))); err != nil {
		e.wrong("SIEM_LOG", getenv("SIEM_LOG"), "debug, info, warn or error")
	}
	if n := len(c.signingKey); n > 0 && n < 32 {
		e.wrong("SIEM_SIGNING_KEY", fmt.Sprintf("a key of %d bytes", n), "32 bytes or more")
	}
	if n := len(c.adminPassword); n > 0 && (n < 12 || n > 72) {
		e.wrong("SIEM_ADMIN_PASSWORD", fmt.Sprintf("a password of %d bytes", n), "12 to 72 bytes")
	}
	return c, errors.Join(e.errs...)
}

type environment struct {
	get  func(string) string
	errs []error
}

func (e *environment) wrong(name, value, want string) {
	e.errs = append(e.errs, fmt.Errorf("%s is %q; it must be %s", name, value, want))
}

func (e *environment) text(name, otherwise string) string {
	if v := e.get(name); v != "" {
		return v
	}
	return otherwise
}

func (e *environment) number(name string, otherwise int) int {
	n, err := strconv.Atoi(e.text(name, strconv.Itoa(otherwise)))
	if err != nil || n < 1 {
		e.wrong(name, e.get(name), "a positive number")
	}
	return n
}

func (e *environment) duration(name string, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(e.text(name, otherwise.String()))
	if err != nil || d <= 0 {
		e.wrong(name, e.get(name), "a duration like 30s")
	}
	return d
}

// durations reads what actions may take, by kind.
func (e *environment) durations(name string) map[string]time.Duration {
	found := map[string]time.Duration{}
	for _, pair := range strings.Fields(strings.ReplaceAll(e.get(name), ",", " ")) {
		kind, text, _ := strings.Cut(pair, "=")
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > core.LongestAction || !core.KnownAction(kind) {
			e.wrong(name, pair, fmt.Sprintf("a list of kinds of actions and durations up to %s, like webhook=10s", core.LongestAction))
		}
		found[kind] = d
	}
	return found
}

// secret returns what the environment says or, failing that, what is in a file
// of the data directory, which it makes the first time.
func (c *config) secret(given, file string) (secret string, made bool, err error) {
	if given != "" {
		return given, false, nil
	}
	path := filepath.Join(c.data, file)
	kept, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(kept)), false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	var b [24]byte
	_, _ = rand.Read(b[:])
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, true, os.WriteFile(path, []byte(secret+"\n"), 0o600)
}
