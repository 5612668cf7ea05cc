package api

import (
	"context"
	"net/http"
	"strings"

	"example.org/siem/core"
)

const maxFeed = 16 << 20

// refreshFeed fetches a feed now and answers with what it brought.
func (s *Server) refreshFeed(w http.ResponseWriter, r *http.Request) error {
	feed, err := s.Feeds.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	stored, err := s.fetchFeed(feed)
	if err != nil {
		return err
	}
	s.record(r, "feed.refresh", feed.ID, feed.URL)
	return writeJSON(w, http.StatusOK, map[string]int{"indicators": stored})
}

func (s *Server) fetchFeed(feed *core.Feed) (int, error) {
	body, err := s.fetch.Fetch(feed.URL, maxFeed)
	if err != nil {
		if err := s.Feeds.RecordFailure(feed, err); err != nil {
			s.log.Warn("failure of a feed was not recorded", "feed", feed.ID, "error", err)
		}
		return 0, err
	}
	return s.Feeds.StoreIndicators(feed, parseFeed(string(body)))
}

// parseFeed takes the first word of every line that is not a comment.
func parseFeed(text string) []string {
	var values []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\r\n,;", c) }); len(words) > 0 {
			values = append(values, strings.ToLower(words[0]))
		}
	}
	return values
}

func (s *Server) lookupIndicators(w http.ResponseWriter, r *http.Request) error {
	var values []string
	if err := s.readJSON(w, r, &values); err != nil {
		return err
	}
	if len(values) > 500 {
		return core.Errorf(core.CodeInvalid, "at most 500 values at a time")
	}
	for i := range values {
		values[i] = strings.ToLower(values[i])
	}
	found, err := s.Feeds.Lookup(values)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, found)
}

// RefreshFeeds fetches every enabled feed of a tenant, one after the other, and
// goes on when one fails.
func (s *Server) RefreshFeeds(ctx context.Context, tenant string) error {
	feeds, err := s.Feeds.List(tenant)
	if err != nil {
		return err
	}
	for _, feed := range feeds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !feed.Enabled {
			continue
		}
		if _, err := s.fetchFeed(feed); err != nil {
			s.log.Warn("feed was not refreshed", "feed", feed.ID, "error", err)
		}
	}
	return nil
}
