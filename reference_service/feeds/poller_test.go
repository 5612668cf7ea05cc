package feeds

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/siem/core"
)

type fakeStore struct {
	core.FeedStore
	mu       sync.Mutex
	feeds    []*core.Feed
	stored   map[string][]string
	failures map[string]string
}

func (f *fakeStore) List(string) ([]*core.Feed, error) { return f.feeds, nil }

func (f *fakeStore) StoreIndicators(feed *core.Feed, values []string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stored[feed.ID] = values
	return len(values), nil
}

func (f *fakeStore) RecordFailure(feed *core.Feed, cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures[feed.ID] = cause.Error()
	return nil
}

type fakeFetcher struct{}

func (fakeFetcher) Fetch(url string, _ int64) ([]byte, error) {
	if strings.Contains(url, "down") {
		return nil, errors.New("no route to host")
	}
	return []byte("# list\nEvil.example, x\n\n10.0.0.1 # why\r\n;\nlast"), nil
}

func feed(id, url string, enabled bool) *core.Feed {
	return &core.Feed{Meta: core.Meta{ID: id, Enabled: enabled}, URL: url}
}

func TestOneFeedThatFailsDoesNotStopTheOthers(t *testing.T) {
	store := &fakeStore{stored: map[string][]string{}, failures: map[string]string{},
		feeds: []*core.Feed{feed("a", "https://down.example", true), feed("b", "https://up.example", true), feed("c", "https://up.example", false)}}
	err := NewPoller(store, fakeFetcher{}, "acme", slog.New(slog.DiscardHandler)).RefreshAll(t.Context())
	if err == nil || store.failures["a"] != "no route to host" {
		t.Errorf("%v, failures %v", err, store.failures)
	}
	if want := []string{"evil.example", "10.0.0.1", "last"}; len(store.stored) != 1 || !slices.Equal(store.stored["b"], want) {
		t.Errorf("stored: %v", store.stored)
	}
}
