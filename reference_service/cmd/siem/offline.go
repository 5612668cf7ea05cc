package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"example.org/siem/core"
	"example.org/siem/ingest"
	"example.org/siem/storage"
)

// withDB runs fn on the database of the data directory.
func withDB(cfg *config, fn func(db *storage.DB) error) error {
	db, err := storage.Open(cfg.database(), 2, cfg.log)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

func (p *program) migrate(_ context.Context, cfg *config, _ []string) error {
	return withDB(cfg, func(db *storage.DB) error {
		names, err := db.Applied()
		for _, name := range names {
			p.printf("%s\n", name)
		}
		return err
	})
}

func (p *program) addUser(ctx context.Context, cfg *config, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	hash, err := readPassword(os.Stdin)
	if err != nil {
		return err
	}
	return withDB(cfg, func(db *storage.DB) error {
		user := &core.User{Tenant: defaultTenant, Username: args[0], PasswordHash: hash, Roles: args[1:]}
		if err := storage.NewUserStore(db).CreateUser(user); err != nil {
			return err
		}
		p.printf("%s\n", user.ID)
		return storage.NewAuditLog(db).Record(context.Background(), &core.AuditEntry{Action: "user.create", Target: user.ID, Detail: "offline"})
	})
}

func (p *program) setPassword(ctx context.Context, cfg *config, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	hash, err := readPassword(os.Stdin)
	if err != nil {
		return err
	}
	return withDB(cfg, func(db *storage.DB) error {
		users := storage.NewUserStore(db)
		user, err := users.UserByName(defaultTenant, args[0])
		if err != nil {
			return err
		}
		if err := users.SetPassword(user.ID, hash); err != nil {
			return err
		}
		return storage.NewAuditLog(db).Record(context.Background(), &core.AuditEntry{Action: "password.set", Target: user.ID, Detail: "offline"})
	})
}

func readPassword(in io.Reader) ([]byte, error) {
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	password := strings.TrimRight(line, "\r\n")
	if len(password) < 12 {
		return nil, errors.New("a password has at least 12 bytes; it is read from standard input")
	}
	return bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
}

func (p *program) importEvents(ctx context.Context, cfg *config, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		for _, path := range args {
			n, err := importFile(storage.NewEventStore(db), path)
			if err != nil {
				return fmt.Errorf("%s: after %d events: %w", path, n, err)
			}
			p.printf("%s: %d events\n", path, n)
		}
		return nil
	})
}

// importFile stores a file of JSON or syslog lines in batches, and returns how
// many events it stored.
func importFile(events core.EventStore, path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	const size = 2000
	var batch []*core.Event
	stored := 0
	flush := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := events.InsertEvents(ctx, batch); err != nil {
			return err
		}
		stored += len(batch)
		batch = batch[:0]
		return nil
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		e, err := ingest.ParseLine(lines.Text(), time.Now().UTC())
		if err != nil {
			return stored, err
		}
		e.ID, e.Tenant = core.NewID("event"), defaultTenant
		if batch = append(batch, e); len(batch) == size {
			if err := flush(); err != nil {
				return stored, err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return stored, err
	}
	return stored, flush()
}

func (p *program) importRules(_ context.Context, cfg *config, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		for _, path := range args {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var rules []*core.Rule
			if err := json.Unmarshal(raw, &rules); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			n, err := storage.NewRuleStore(db).ImportRules(defaultTenant, rules)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			p.printf("%s: %d of %d rules are new\n", path, n, len(rules))
		}
		return nil
	})
}

func (p *program) sweep(ctx context.Context, cfg *config, _ []string) error {
	return withDB(cfg, func(db *storage.DB) error {
		done, err := storage.NewRetention(db).Sweep(context.Background())
		if err != nil {
			return err
		}
		return json.NewEncoder(p.out).Encode(done)
	})
}

func (p *program) backup(_ context.Context, cfg *config, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		size, err := db.Backup(args[0])
		if err == nil {
			p.printf("%s: %d bytes\n", args[0], size)
		}
		return err
	})
}

func (p *program) check(ctx context.Context, cfg *config, _ []string) error {
	return withDB(cfg, func(db *storage.DB) error {
		found, err := db.Check(context.Background())
		if err != nil {
			return err
		}
		broken, err := storage.NewAuditLog(db).VerifyAudit(ctx)
		if err != nil {
			return err
		}
		if broken > 0 {
			found = append(found, fmt.Sprintf("audit entry %d does not fit the one before it", broken))
		}
		if len(found) > 0 {
			return errors.New(strings.Join(found, "\n"))
		}
		p.printf("nothing is wrong\n")
		return nil
	})
}

func (p *program) probe(_ context.Context, _ *config, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	resp, err := http.Get(strings.TrimSuffix(args[0], "/") + "/api/v1/ready")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	p.printf("ready\n")
	return nil
}
