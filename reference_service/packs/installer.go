// Package packs installs sets of rules that somebody else looks after.
package packs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.org/siem/core"
)

// Installer implements core.Packer.
type Installer struct {
	packs  core.PackStore
	fetch  core.Fetcher
	call   core.Caller
	reload func()
	log    *slog.Logger
	latest sync.Map // of versions by pack
	stop   chan struct{}
	done   sync.WaitGroup
}

// NewInstaller returns an installer that calls reload when rules have changed.
func NewInstaller(packs core.PackStore, fetch core.Fetcher, call core.Caller, reload func(), log *slog.Logger) *Installer {
	return &Installer{packs: packs, fetch: fetch, call: call, reload: reload, log: log, stop: make(chan struct{})}
}

// content is a pack as it is published.
type content struct {
	Version string       `json:"version"`
	Rules   []*core.Rule `json:"rules"`
}

// download fetches a pack, and refuses one that is not what it should be.
func (i *Installer) download(p *core.Pack) (*content, error) {
	raw, err := i.fetch.Fetch(p.URL, 4<<20)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); p.SHA256 != "" && hex.EncodeToString(sum[:]) != p.SHA256 {
		return nil, core.Errorf(core.CodeForbidden, "%s is not what its sha256 says", p.URL)
	}
	c := &content{}
	if err := json.Unmarshal(raw, c); err != nil || c.Version == "" {
		return nil, core.Errorf(core.CodeUnavailable, "%s is no rule pack", p.URL)
	}
	var errs []error
	for n, rule := range c.Rules {
		if err := rule.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("rule %d: %w", n, err))
		}
	}
	return c, errors.Join(errs...)
}

// Diff says what an installation would change.
func (i *Installer) Diff(p *core.Pack) (*core.PackChange, error) {
	c, err := i.download(p)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return i.compare(ctx, p, c)
}

func (i *Installer) compare(ctx context.Context, p *core.Pack, c *content) (*core.PackChange, error) {
	installed, err := i.packs.PackRules(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	change := &core.PackChange{Version: c.Version, Added: []string{}, Changed: []string{}, Removed: []string{}}
	for _, rule := range c.Rules {
		digest, known := installed[rule.Name]
		delete(installed, rule.Name)
		switch {
		case !known:
			change.Added = append(change.Added, rule.Name)
		case digest != core.Digest(rule):
			change.Changed = append(change.Changed, rule.Name)
		}
	}
	for name := range installed {
		change.Removed = append(change.Removed, name)
	}
	slices.Sort(change.Removed)
	return change, nil
}

// Install makes the rules of a pack what its address has.
func (i *Installer) Install(ctx context.Context, p *core.Pack) (*core.PackChange, error) {
	c, err := i.download(p)
	if err != nil {
		return nil, err
	}
	change, err := i.compare(context.Background(), p, c)
	if err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(c.Rules), func(r *core.Rule) bool {
		return !slices.Contains(change.Added, r.Name) && !slices.Contains(change.Changed, r.Name)
	})
	p.Version = c.Version
	applyCtx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := i.packs.ApplyPack(applyCtx, p, wanted, change.Removed); err != nil {
		return nil, err
	}
	i.reload()
	return change, nil
}

// Outdated returns the packs of a tenant with the versions they could have.
func (i *Installer) Outdated(ctx context.Context, tenant string) (map[string]string, error) {
	packs, err := i.packs.List(tenant)
	if err != nil {
		return nil, err
	}
	outdated := map[string]string{}
	for _, p := range packs {
		version, known := i.latest.Load(p.ID)
		if !known {
			if version, err = i.check(p); err != nil {
				i.log.Warn("version of a pack is not known", "pack", p.ID, "error", err)
				continue
			}
		}
		if version != p.Version {
			outdated[p.ID] = version.(string)
		}
	}
	return outdated, ctx.Err()
}

// check asks which version there is: publishers put it beside the pack.
func (i *Installer) check(p *core.Pack) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	status, answer, err := i.call.Call(ctx, http.MethodGet, p.URL+".version", nil, nil)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK || len(answer) > 100 {
		return "", core.Errorf(core.CodeUnavailable, "%s.version answered %d", p.URL, status)
	}
	version := string(answer)
	i.latest.Store(p.ID, version)
	return version, nil
}

// Start asks for new versions of a tenant's packs now and then until Stop.
func (i *Installer) Start(tenant string, every time.Duration) {
	i.done.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-i.stop:
				return
			case <-ticker.C:
				i.latest.Clear()
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
				if outdated, err := i.Outdated(ctx, tenant); err != nil {
					i.log.Warn("versions of packs are not known", "error", err)
				} else if len(outdated) > 0 {
					i.log.Info("rule packs have new versions", "packs", outdated)
				}
				cancel()
			}
		}
	})
}

// Stop ends the schedule and waits for a check that is running.
func (i *Installer) Stop() {
	close(i.stop)
	i.done.Wait()
}
