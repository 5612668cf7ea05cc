package api

import (
	"net/http"
	"strings"

	"example.org/siem/core"
)

// refreshFeed fetches a feed now and answers with what it brought.
func (s *Server) refreshFeed(w http.ResponseWriter, r *http.Request) error {
	feed, err := s.Feeds.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	stored, err := s.Refresher.Refresh(feed)
	if err != nil {
		return err
	}
	s.record(r, "feed.refresh", feed.ID, feed.URL)
	return writeJSON(w, http.StatusOK, map[string]int{"indicators": stored})
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
