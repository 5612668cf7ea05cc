package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"example.org/siem/core"
	"example.org/siem/hunt"
	"example.org/siem/report"
	"example.org/siem/storage"
)

func (p *program) export(ctx context.Context, cfg *config, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	file, err := os.Create(args[0])
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	n := 0
	err = withDB(cfg, func(db *storage.DB) error {
		return storage.NewEventStore(db).EachEvent(context.Background(), core.EventFilter{Tenant: defaultTenant}, func(e *core.Event) error {
			n++
			return json.NewEncoder(out).Encode(e)
		})
	})
	p.printf("%s: %d events\n", args[0], n)
	return errors.Join(err, out.Flush(), file.Close())
}

func (p *program) disable(ctx context.Context, cfg *config, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		users := storage.NewUserStore(db)
		user, err := users.UserByName(defaultTenant, args[0])
		if err != nil {
			return err
		}
		user.Disabled = true
		if err := users.UpdateUser(user); err != nil {
			return err
		}
		ended, err := storage.NewSessionStore(db).RevokeUser(context.Background(), user.ID)
		if err != nil {
			return err
		}
		p.printf("%s is locked out; %d logins ended\n", args[0], ended)
		return storage.NewAuditLog(db).Record(context.Background(), &core.AuditEntry{Action: "user.disable", Target: user.ID, Detail: "offline"})
	})
}

func (p *program) addKey(ctx context.Context, cfg *config, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		secret := "siemkey_" + rand.Text()
		hash := sha256.Sum256([]byte(secret))
		key := &core.Key{Tenant: defaultTenant, Name: args[0], Hash: hash[:], CreatedBy: "offline"}
		for _, permission := range args[1:] {
			key.Permissions = append(key.Permissions, core.Permission(permission))
		}
		if err := core.ValidatePermissions(key.Permissions); err != nil {
			return err
		}
		if err := storage.NewKeyStore(db).CreateKey(key); err != nil {
			return err
		}
		p.printf("%s\n", secret)
		return storage.NewAuditLog(db).Record(context.Background(), &core.AuditEntry{Action: "key.create", Target: key.ID, Detail: "offline"})
	})
}

func (p *program) addTenant(ctx context.Context, cfg *config, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	events, err := strconv.Atoi(args[1])
	if err != nil || events < 0 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		saveCtx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return storage.NewTenantStore(db).SaveTenant(saveCtx, &core.Tenant{Name: args[0], DisplayName: args[0], EventsPerDay: events})
	})
}

// hunt runs every enabled hunt, whether or not it is due.
func (p *program) hunt(ctx context.Context, cfg *config, _ []string) error {
	return withDB(cfg, func(db *storage.DB) error {
		store := storage.NewHuntStore(db)
		hunter := hunt.NewHunter(store, storage.NewEventStore(db), storage.NewAlertStore(db), core.NewBus(), defaultTenant, cfg.log)
		defer hunter.Stop()
		hunts, err := store.List(defaultTenant)
		if err != nil {
			return err
		}
		for _, h := range hunts {
			if !h.Enabled {
				continue
			}
			result, err := hunter.Run(context.Background(), h)
			if err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			p.printf("%s: %d events, %d before\n", h.Name, result.Found, result.Before)
		}
		return nil
	})
}

func (p *program) report(ctx context.Context, cfg *config, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	return withDB(cfg, func(db *storage.DB) error {
		store := storage.NewReportStore(db)
		plan, err := store.Find(defaultTenant, args[0])
		if err != nil {
			return err
		}
		reporter := report.NewReporter(report.Stores{Reports: store, Events: storage.NewEventStore(db), Alerts: storage.NewAlertStore(db),
			Cases: storage.NewCaseStore(db), Tenants: storage.NewTenantStore(db)}, nil, defaultTenant, cfg.log)
		made, err := reporter.Generate(plan)
		if err != nil {
			return err
		}
		file, err := os.Create(args[1])
		if err != nil {
			return err
		}
		return errors.Join(store.WriteReport(context.Background(), plan.ID, made.ID, file), file.Close())
	})
}

func (p *program) letters(ctx context.Context, cfg *config, _ []string) error {
	return withDB(cfg, func(db *storage.DB) error {
		store := storage.NewDeadLetterStore(db)
		for {
			events, err := store.Letters(ctx, 500)
			if err != nil || len(events) == 0 {
				return err
			}
			ids := make([]string, len(events))
			for i, e := range events {
				ids[i] = e.ID
				p.printf("%s %s %s\n", e.At.Format(time.RFC3339), e.ID, e.Kind)
			}
			if err := store.DropLetters(context.Background(), ids); err != nil {
				return err
			}
		}
	})
}

// restore puts a backup in place of the database, after a look whether it is one.
func (p *program) restore(ctx context.Context, cfg *config, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	checkCtx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	found, err := checkCopy(cfg.log)(checkCtx, args[0])
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("%s is damaged: %s", args[0], found[0])
	}
	content, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	fresh := cfg.database() + ".restored"
	if err := os.WriteFile(fresh, content, 0o600); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Rename(cfg.database()+suffix, cfg.database()+".before"+suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	p.printf("the database is %s; what it was is beside it as %s\n", args[0], "siem.db.before")
	return os.Rename(fresh, cfg.database())
}
