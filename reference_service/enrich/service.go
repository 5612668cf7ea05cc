// Package enrich looks up what is known about hosts, users and addresses: in the
// asset inventory, in the user directory, in the DNS, and in a service that says
// where an address is.
package enrich

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"example.org/siem/core"
)

// Sorts of things that can be asked about.
const (
	SortHost    = "host"
	SortUser    = "user"
	SortAddress = "address"
)

// lookup finds out about one value; nothing is no error.
type lookup func(tenant, value string) (map[string]string, error)

// Service implements core.Enricher.
type Service struct {
	assets  core.AssetStore
	users   core.UserStore
	call    core.Caller
	locator string
	ttl     time.Duration
	log     *slog.Logger
	sources map[string][]lookup
	group   singleflight.Group
	mu      sync.Mutex
	known   map[string]answer
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

type answer struct {
	facts map[string]string
	until time.Time
}

// NewService returns a service that believes an answer for ttl. Without the
// address of a locator, nobody is asked where addresses are.
func NewService(assets core.AssetStore, users core.UserStore, call core.Caller, locator string, ttl time.Duration, log *slog.Logger) *Service {
	s := &Service{assets: assets, users: users, call: call, locator: locator, ttl: ttl, log: log, known: make(map[string]answer), cancel: func() {}}
	s.sources = map[string][]lookup{SortHost: {s.asset}, SortUser: {s.user}, SortAddress: {s.name}}
	if locator != "" {
		s.sources[SortAddress] = append(s.sources[SortAddress], s.locate)
	}
	return s
}

// Enrich adds to an event's fields what is known about its host, its user and
// its source. Fields that are there stay as they are.
func (s *Service) Enrich(ctx context.Context, event *core.Event) error {
	var errs []error
	for sort, value := range map[string]string{SortHost: event.Host, SortUser: event.User, SortAddress: event.Source} {
		if value == "" {
			continue
		}
		oneCtx, cancel := context.WithTimeout(context.Background(), time.Second)
		facts, err := s.about(oneCtx, event.Tenant, sort, value)
		cancel()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", sort, value, err))
			continue
		}
		for name, fact := range facts {
			if event.Fields == nil {
				event.Fields = make(map[string]string)
			}
			if _, there := event.Fields[name]; !there {
				event.Fields[name] = fact
			}
		}
	}
	return errors.Join(errs...)
}

// About returns what is known about a value, for whoever ctx acts for.
func (s *Service) About(ctx context.Context, sort, value string) (map[string]string, error) {
	if s.sources[sort] == nil {
		return nil, core.Errorf(core.CodeInvalid, "%q can't be asked about", sort)
	}
	return s.about(ctx, core.TenantFrom(ctx), sort, value)
}

// about answers from memory, or asks every source once for all who want to know.
func (s *Service) about(ctx context.Context, tenant, sort, value string) (map[string]string, error) {
	key := tenant + "\x00" + sort + "\x00" + value
	s.mu.Lock()
	a, ok := s.known[key]
	s.mu.Unlock()
	if ok && time.Now().Before(a.until) {
		return a.facts, nil
	}
	result := s.group.DoChan(key, func() (any, error) {
		facts, err := s.ask(tenant, sort, value)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.known[key] = answer{facts: facts, until: time.Now().Add(s.ttl)}
		s.mu.Unlock()
		return facts, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-result:
		facts, _ := r.Val.(map[string]string)
		return facts, r.Err
	}
}

func (s *Service) ask(tenant, sort, value string) (map[string]string, error) {
	all := map[string]string{}
	for _, source := range s.sources[sort] {
		facts, err := source(tenant, value)
		if err != nil {
			return nil, err
		}
		for name, fact := range facts {
			all[name] = fact
		}
	}
	return all, nil
}

func (s *Service) asset(tenant, host string) (map[string]string, error) {
	a, err := s.assets.AssetByHost(tenant, host)
	if core.ErrorCode(err) == core.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return map[string]string{"host_owner": a.Owner, "host_criticality": strconv.Itoa(a.Criticality)}, nil
}

func (s *Service) user(tenant, username string) (map[string]string, error) {
	u, err := s.users.UserByName(tenant, username)
	if core.ErrorCode(err) == core.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return map[string]string{"user_name": u.DisplayName, "user_roles": strings.Join(u.Roles, ","), "user_disabled": strconv.FormatBool(u.Disabled)}, nil
}

// name asks the DNS what an address is called.
func (s *Service) name(_, value string) (map[string]string, error) {
	addr, err := netip.ParseAddr(value)
	if err != nil || !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, value)
	if err != nil || len(names) == 0 {
		return nil, nil // most addresses have no name
	}
	return map[string]string{"source_name": strings.TrimSuffix(names[0], ".")}, nil
}

// locate asks where an address is.
func (s *Service) locate(_, value string) (map[string]string, error) {
	if _, err := netip.ParseAddr(value); err != nil {
		return nil, nil
	}
	status, body, err := s.call.Call(context.Background(), http.MethodGet, s.locator+"?ip="+url.QueryEscape(value), nil, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, core.Errorf(core.CodeUnavailable, "the locator answered %d", status)
	}
	var place struct {
		Country string `json:"country"`
		Network string `json:"network"`
	}
	if err := json.Unmarshal(body, &place); err != nil {
		return nil, core.Errorf(core.CodeUnavailable, "the locator did not answer with JSON: %v", err)
	}
	return map[string]string{"source_country": place.Country, "source_network": place.Network}, nil
}

// Start forgets what is out of date, now and then until Stop.
func (s *Service) Start(every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() { core.Every(ctx, every, s.forget) })
}

func (s *Service) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, a := range s.known {
		if now.After(a.until) {
			delete(s.known, key)
		}
	}
}

// Stop ends what Start began.
func (s *Service) Stop() {
	s.cancel()
	s.done.Wait()
}
